package journeys_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpclient"
)

// importReport is what `meridian import --json` prints, as far as it is checked here.
type importReport struct {
	Format                              string
	Products, Variants, Prices, Refused int64
	ResumedAfter                        int64 `json:"resumed_after"`
	Shop                                struct {
		Created, Updated, Unchanged, Refused int64
		StockSet                             int64 `json:"stock_set"`
		StockAsIs                            int64 `json:"stock_unchanged"`
	}
}

// sharedFile gives a file of the folder of real data, or skips.
func sharedFile(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("MERIDIAN_SHARED")
	if folder == "" {
		folder = filepath.Join("..", "..", "shared")
	}
	path := filepath.Join(folder, "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the real file %s is absent (MERIDIAN_SHARED names its folder): %v", name, err)
	}
	return path
}

func (s *shop) importFile(t *testing.T, path string) importReport {
	t.Helper()
	var report importReport
	if err := json.Unmarshal([]byte(s.must(t, "import", "--json", path)), &report); err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRealShopifyFilesImportWhole(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	for _, file := range []struct {
		name               string
		products, variants int64
	}{{"shopify-apparel.csv", 25, 96}, {"shopify-bicycles.csv", 284, 1121}} {
		t.Run(file.name, func(t *testing.T) {
			t.Parallel()
			path := sharedFile(t, file.name)
			first := s.importFile(t, path)
			if first.Products != file.products || first.Variants != file.variants || first.Prices != file.variants || first.Shop.Created != file.products || first.Refused != 0 {
				t.Fatalf("the first import: %+v", first)
			}
			again := s.importFile(t, path)
			if again.Shop.Unchanged != file.products || again.Shop.Created+again.Shop.Updated+again.Shop.StockSet != 0 || again.Shop.StockAsIs != first.Shop.StockSet {
				t.Fatalf("the second import changed something: %+v", again)
			}
		})
	}
}

func TestAnImportedProductCanBeRead(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	csv := "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price\n" +
		"journey-shirt,Journey Shirt,\"<p>Two\nlines, \"\"quoted\"\"<script>alert(1)</script></p>\",Acme,Shirts,\"a, b\",true,Size,S,JRN-S,7,19.90\n" +
		"journey-shirt,,,,,,,,M,JRN-M,0,21.00\n"
	path := filepath.Join(t.TempDir(), "shirt.csv")
	if err := os.WriteFile(path, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	if report := s.importFile(t, path); report.Shop.Created != 1 || report.Variants != 2 {
		t.Fatalf("%+v", report)
	}
	var product contract.Product
	s.ask(t, "NRT", http.MethodGet, "/api/v1/products/journey-shirt", nil, &product).want(t, http.StatusOK)
	if len(product.Variants) != 2 || product.Variants[0].Price.Amount != 1990 || product.Brand != "Acme" || strings.Contains(product.Description, "script") || !strings.Contains(product.Description, "quoted") {
		t.Fatalf("%+v", product)
	}
}

func TestADamagedFileDoesNoHarm(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	const header = "Handle,Title,Variant SKU,Variant Price\n"
	for name, content := range map[string]string{
		"cut in a quoted field": header + "harm-1,\"Cut he",
		"cut in a row":          header + "harm-2,Two,SKU-2",
		"semicolons":            strings.ReplaceAll(header, ",", ";") + "harm-3;Three;SKU-3;1.00\n",
		"latin-1":               header + "harm-4,Caf\xe9,SKU-4,1.00\n",
		"utf-16":                "\xff\xfeH\x00a\x00n\x00d\x00l\x00e\x00",
		"empty":                 "",
		"another file":          "<html><body>Sign in</body></html>\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "damaged.csv")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			err := s.run(t.Context(), &out, "import", path)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Contains(err.Error(), "goroutine") {
				t.Fatalf("got %v", err)
			}
			// The file is named among the arguments and in the refusal; a run that began prints its report.
			if strings.Count(err.Error(), path) < 2 || out.Len() > 0 {
				t.Errorf("got %q and %v, want a refusal of %s and no report", out.String(), err, path)
			}
		})
	}
	for _, slug := range []string{"harm-1", "harm-2", "harm-3", "harm-4"} {
		s.ask(t, "LHR", http.MethodGet, "/api/v1/products/"+slug, nil, nil).want(t, http.StatusNotFound)
	}
}

// ownFile writes a catalog of Shopify's form whose handles and SKUs no other journey has.
func (s *shop) ownFile(t *testing.T, prefix string, products int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), prefix+".csv")
	s.must(t, "seed", "--format", "shopify", "--products", strconv.Itoa(products), "--out", path)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var own bytes.Buffer
	writer := csv.NewWriter(&own)
	for i, row := range rows {
		for at, name := range rows[0] {
			if i > 0 && (name == "Handle" || name == "Variant SKU") {
				row[at] = prefix + "-" + row[at]
			}
		}
		if err := writer.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if writer.Flush(); writer.Error() != nil {
		t.Fatal(writer.Error())
	}
	if err := os.WriteFile(path, own.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// reached reads how far the import that keeps its progress in the home has come, 0 when it keeps none.
func (s *shop) reached(digest string) int64 {
	matches, err := filepath.Glob(filepath.Join(s.home, "imports", digest+"*.json"))
	if err != nil || len(matches) != 1 {
		return 0
	}
	content, err := os.ReadFile(matches[0])
	var progress struct{ Done int64 }
	if err != nil || json.Unmarshal(content, &progress) != nil {
		return 0
	}
	return progress.Done
}

// Killed twice at a moment that nobody chose, and run again, an import leaves what an uninterrupted one leaves.
func TestAnImportThatWasKilledGoesOn(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	const products = 2000
	path := s.ownFile(t, "cut", products)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	digest := hex.EncodeToString(sum[:])[:32]
	last := int64(0)
	for range 2 {
		last = s.killImport(t, path, digest, last+1+rand.Int64N(products/4))
	}
	report := s.importFile(t, path)
	if report.ResumedAfter < last || last == 0 || report.Products != products || report.Refused != 0 || report.Shop.Created+report.Shop.Unchanged != products || report.Shop.Updated != 0 {
		t.Fatalf("killed after %d: %+v", last, report)
	}
	if s.reached(digest) != 0 {
		t.Error("the progress of an import that is done is still kept")
	}
	var whole importReport
	if err := json.Unmarshal([]byte(s.must(t, "import", "--json", "--restart", path)), &whole); err != nil {
		t.Fatal(err)
	}
	if whole.Shop.Unchanged != products || whole.Shop.StockAsIs != whole.Variants || whole.Shop.StockSet != 0 || whole.ResumedAfter != 0 {
		t.Fatalf("an uninterrupted import finds a difference: %+v", whole)
	}
	s.wantStock(t, content)
}

// killImport starts an import and kills it as soon as it has kept that many products; it gives how many it had kept by then.
func (s *shop) killImport(t *testing.T, path, digest string, after int64) int64 {
	t.Helper()
	command := exec.CommandContext(t.Context(), s.binary, "--home", s.home, "import", path)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			t.Fatalf("the import ended before it could be killed: %v", err)
		case <-ticker.C:
			if s.reached(digest) < after {
				continue
			}
			if err := command.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err == nil {
				t.Fatal("the import ended before the kill reached it")
			}
			return s.reached(digest)
		}
	}
}

// wantStock holds what is on hand of every fiftieth SKU to the file.
func (s *shop) wantStock(t *testing.T, content []byte) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sku, quantity := slices.Index(rows[0], "Variant SKU"), slices.Index(rows[0], "Variant Inventory Qty")
	token := s.token(t, contract.RoleAdmin)
	for i := 1; i < len(rows); i += 50 {
		var stock struct{ Items []contract.StockLevel }
		s.ask(t, "IAD", http.MethodGet, "/api/v1/admin/inventory/"+url.PathEscape(rows[i][sku]), nil, &stock, token).want(t, http.StatusOK)
		if len(stock.Items) != 1 || strconv.FormatInt(stock.Items[0].OnHand, 10) != rows[i][quantity] {
			t.Fatalf("%s: %+v, want %s", rows[i][sku], stock.Items, rows[i][quantity])
		}
	}
}

func TestAGoogleFeedCanBeRead(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	feed := "id\ttitle\tdescription\tavailability\tquantity\tprice\titem_group_id\tsize\tproduct_type\n" +
		"GJ-S\tGoogle Jumper\tWarm.\tin_stock\t7\t49.00 USD\tGJ\tS\tKnitwear > Jumpers\n" +
		"GJ-M\tGoogle Jumper\tWarm.\tout_of_stock\t\t49.00 USD\tGJ\tM\tKnitwear > Jumpers\n"
	path := filepath.Join(t.TempDir(), "feed.txt")
	if err := os.WriteFile(path, []byte(feed), 0o600); err != nil {
		t.Fatal(err)
	}
	if report := s.importFile(t, path); report.Shop.Created != 1 || report.Variants != 2 || report.Format != "google" || report.Shop.StockSet != 2 {
		t.Fatalf("%+v", report)
	}
	var product contract.Product
	s.ask(t, "NRT", http.MethodGet, "/api/v1/products/gj", nil, &product).want(t, http.StatusOK)
	if len(product.Variants) != 2 || product.Variants[1].Options["Size"] != "M" || !slices.Contains(product.Categories, "knitwear-jumpers") {
		t.Fatalf("%+v", product)
	}
}

// httpImport is the progress resource, as far as it is checked here.
type httpImport struct {
	ID, State, Failure string
	Received           int64
	Progress           float64
	Shop               struct{ Created, Refused int64 }
}

func TestAFeedMayBeSentOverHTTP(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	const products = 300
	content, err := os.ReadFile(s.ownFile(t, "http", products))
	if err != nil {
		t.Fatal(err)
	}
	token := s.token(t, contract.RoleMerchandiser)
	part := func(method, path string, body []byte, headers map[string]string) httpImport {
		t.Helper()
		header := map[string]string{"X-Edge-Location": "DUB"}
		maps.Copy(header, token)
		maps.Copy(header, headers)
		request := httpclient.Request{Method: method, URL: s.status.Edge.URL + path, Header: header, Body: body}
		got, err := exchange(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		got.want(t, http.StatusAccepted)
		var answer httpImport
		if err := json.Unmarshal(got.body, &answer); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		return answer
	}
	half := len(content) / 2
	created := part(http.MethodPost, "/api/v1/admin/imports", content[:half], map[string]string{"Upload-Complete": "?0"})
	place := "/api/v1/admin/imports/" + created.ID
	part(http.MethodPatch, place, content[half:], map[string]string{"Upload-Offset": strconv.Itoa(half), "Upload-Complete": "?1"})
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		var now httpImport
		s.ask(t, "SIN", http.MethodGet, place, nil, &now, token).want(t, http.StatusOK)
		if now.State == "done" && now.Progress == 1 && now.Shop.Created == products && now.Shop.Refused == 0 {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("it never ended: %+v", now)
		case <-ticker.C:
			if now.State == "failed" || now.State == "done" {
				t.Fatalf("%+v", now)
			}
		}
	}
}
