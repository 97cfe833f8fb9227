package shopify

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/text"
)

// simple is a header with which the tests write small files.
const simple = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Price,Variant Inventory Qty,Image Src\n"

// readAll gives all products of a file, and fails the test when the file is refused.
func readAll(t *testing.T, text string, options Options) ([]feed.Item, feed.Report) {
	t.Helper()
	reader, err := Open(strings.NewReader(text), options)
	if err != nil {
		t.Fatalf("the file is refused: %v", err)
	}
	return drain(t, reader)
}

func drain(t testing.TB, reader feed.Reader) ([]feed.Item, feed.Report) {
	t.Helper()
	var items []feed.Item
	for {
		item, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return items, reader.Report()
		}
		if err != nil {
			t.Fatalf("after %d products: %v", len(items), err)
		}
		items = append(items, item)
	}
}

// shared opens one of the real exports, or skips.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	folder := os.Getenv("MERIDIAN_SHARED")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared")
	}
	content, err := os.ReadFile(filepath.Join(folder, "data", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("skipped: the sample export %s is absent; set MERIDIAN_SHARED to the folder that holds data/%s", name, name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestFilesThatAreNoWholeExportAreRefused(t *testing.T) {
	t.Parallel()
	good := simple + "a,A,,,,,S1,1.00,,\n"
	utf16 := func(text string) string {
		var wide strings.Builder
		for _, r := range text {
			wide.WriteByte(byte(r))
			wide.WriteByte(0)
		}
		return wide.String()
	}
	for name, broken := range map[string]struct {
		text  string
		line  int
		value string
		cause error
	}{
		"empty":           {"", 0, "", feed.ErrEmpty},
		"blank":           {"\n\n  \n", 0, "", feed.ErrEmpty},
		"only a mark":     {"\xef\xbb\xbf", 0, "", feed.ErrEmpty},
		"header only":     {simple, 0, "", feed.ErrNoProduct},
		"header cut":      {simple[:60], 1, "Variant Price", feed.ErrColumnMissing},
		"blank rows only": {simple + ",,,,,,,,,\n", 0, "", feed.ErrNoProduct},
		"no handle":       {strings.Replace(good, "Handle", "Name", 1), 1, "Handle", feed.ErrColumnMissing},
		"no price": {
			strings.Replace(good, "Variant Price", "Cost", 1), 1, "Variant Price", feed.ErrColumnMissing,
		},
		"two prices": {strings.Replace(good, "Image Src", "Price", 1), 1, `"Price"`, feed.ErrColumnTwice},
		"semicolons": {strings.ReplaceAll(good, ",", ";"), 1, "semicolons", feed.ErrFormat},
		"quoted semicolons": {
			`"Handle";"Title";"Variant Price"` + "\n" + `"a";"A";"1.00"` + "\n", 1, "semicolons", feed.ErrFormat,
		},
		"tabs":                         {strings.ReplaceAll(good, ",", "\t"), 1, "tabs", feed.ErrFormat},
		"bars":                         {strings.ReplaceAll(good, ",", "|"), 1, "bars", feed.ErrFormat},
		"old Mac":                      {strings.ReplaceAll(good, "\n", "\r"), 1, "", feed.ErrLineEnds},
		"UTF-16 with mark":             {"\xff\xfe" + utf16(good), 0, "UTF-16", feed.ErrFormat},
		"UTF-16 without mark":          {utf16(good), 1, "NUL", nil},
		"Latin-1":                      {simple + "a,Caf\xe9,,,,,S1,1.00,,\n", 2, "0xE9", nil},
		"Latin-1 at the very end":      {good + "b,B,,,,,S2,1.00,,\xe9", 3, "0xE9", nil},
		"NUL late":                     {good + "b,B\x00,,,,,S2,1.00,,\n", 3, "NUL", nil},
		"HTML":                         {"\n<!DOCTYPE html><html><body>Log in</body></html>\n", 1, "XML", feed.ErrFormat},
		"JSON":                         {`{"products":[]}` + "\n", 1, "JSON", feed.ErrFormat},
		"zip":                          {"PK\x03\x04rest", 0, "zip", feed.ErrFormat},
		"gzip":                         {"\x1f\x8b\x08rest", 0, "gzip", feed.ErrFormat},
		"too few columns":              {good + "b,B,,,,,S2\n" + "c,C,,,,,S3,1.00,,\n", 3, "7", csv.ErrFieldCount},
		"too many columns":             {good + "b,B, or not,,,,,S2,1.00,,\n", 3, "11", csv.ErrFieldCount},
		"quote never closed":           {good + "b,\"B,,,,,S2,1.00,,\nc,C,,,,,S3,1.00,,\n", 3, "", feed.ErrOpenQuote},
		"quote never closed, one line": {good + "b,\"B", 3, "", feed.ErrOpenQuote},
		"quote inside a field":         {good + "b,5\" nail,,,,,S2,1.00,,\n", 3, "", csv.ErrBareQuote},
		"quote closed early":           {good + "b,\"5\" nail\",,,,,S2,1.00,,\n", 3, "", csv.ErrQuote},
		"last line open":               {strings.TrimSuffix(good, "\n"), 2, "", feed.ErrCutShort},
		"row without end": {
			good + "b,\"" + strings.Repeat("endless\n", text.MaxRecord/7), 3, "", text.ErrRecordTooLong,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(strings.NewReader(broken.text), Options{})
			var refused *feed.FileError
			if !errors.As(err, &refused) {
				t.Fatalf("want a FileError, got %v", err)
			}
			if refused.Line != broken.line || !strings.Contains(refused.Problem, broken.value) {
				t.Errorf("got %q on line %d, want %q on line %d", refused.Problem, refused.Line, broken.value, broken.line)
			}
			if !errors.Is(refused.Cause, broken.cause) {
				t.Errorf("got cause %v, want %v", refused.Cause, broken.cause)
			}
			if refused.Remedy == "" || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 400 {
				t.Errorf("not one line with a remedy: %q", err.Error())
			}
		})
	}
}

func TestPathsThatAreNoFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	_, err := OpenFile(folder, Options{})
	var refused *feed.FileError
	if !errors.As(err, &refused) || !errors.Is(err, feed.ErrDirectory) || !strings.Contains(err.Error(), folder) {
		t.Errorf("a directory: %v", err)
	}
	missing := filepath.Join(folder, "none.csv")
	if _, err = OpenFile(missing, Options{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestAFileOnDiskIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "products.csv")
	text := "\xef\xbb\xbf" + simple + "a,A,,,,,S1,1.00,,\r\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := OpenFile(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	items, report := drain(t, file)
	if len(items) != 1 || report.Products != 1 || file.BytesRead() != int64(len(text)) || file.Survey().Bytes != int64(len(text)) {
		t.Errorf("read %d products, %d of %d bytes", len(items), file.BytesRead(), len(text))
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}

func TestAMissingLastLineBreakCanBeAllowed(t *testing.T) {
	t.Parallel()
	items, _ := readAll(t, simple+"a,A,,,,,S1,1.00,7,", Options{AllowMissingLastLineBreak: true})
	if len(items) != 1 || items[0].Stock[0].OnHand != 7 {
		t.Errorf("got %+v", items)
	}
}

func TestAnUnknownCurrencyIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := Open(strings.NewReader(simple+"a,A,,,,,S1,1.00,,\n"), Options{Currency: "usd"}); err == nil {
		t.Error("usd was taken")
	}
}

// growing is a file that another program writes to between the two passes.
type growing struct {
	*strings.Reader
	after  string
	starts int
}

func (g *growing) Seek(offset int64, whence int) (int64, error) {
	if g.starts++; g.starts == 2 {
		g.Reader = strings.NewReader(g.after)
	}
	return g.Reader.Seek(offset, whence)
}

func TestAFileThatChangesBetweenThePassesIsNotedBeforeItsLastProduct(t *testing.T) {
	t.Parallel()
	before := simple + "a,A,,,,,S1,1.00,,\nb,B,,,,,S2,1.00,,\n"
	for name, after := range map[string]string{
		"longer":  before + "c,C,,,,,S3,1.00,,\n",
		"shorter": simple + "a,A,,,,,S1,1.00,,\n",
		"cut":     before[:len(before)-9],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader, err := Open(&growing{Reader: strings.NewReader(before), after: after}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for range 10 {
				if _, err = reader.Next(); err != nil {
					break
				}
			}
			var changed *feed.FileError
			if !errors.As(err, &changed) {
				t.Fatalf("got %v", err)
			}
			if _, again := reader.Next(); !errors.Is(again, err) {
				t.Errorf("the second time: %v", again)
			}
		})
	}
}

func ExampleOpen() {
	file := "Handle,Title,Variant SKU,Variant Price\nmug,Mug,MUG-1,9.50\nbowl,Bowl,BOWL-1,free\n"
	reader, err := Open(strings.NewReader(file), Options{Currency: "EUR", Observer: feed.Observer{
		Refused: func(refusal feed.Refusal) { fmt.Println("refused:", refusal) },
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		item, err := reader.Next()
		if err != nil {
			break
		}
		fmt.Println(item.Product.Title, item.Product.Variants[0].Prices[0])
	}
	// Output:
	// Mug 9.50 EUR
	// refused: line 3, bowl, Variant Price: "free" is not a decimal amount such as 36.00
}
