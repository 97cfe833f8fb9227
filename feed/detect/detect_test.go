package detect

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

func TestFormatsAreToldApart(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"Handle,Title,Variant Price\na,A,1.00\n":                                                          Shopify,
		"\xef\xbb\xbfHandle,Title,Variant Price\na,A,1.00\n":                                              Shopify,
		"id\ttitle\tprice\n1\tA\t1.00 USD\n":                                                              Google,
		"\xef\xbb\xbf\"ID\"\tTitle\tImage Link\tPrice\n1\tA\t\t1.00\n":                                    Google,
		"<?xml version=\"1.0\"?>\n<rss><item><id>1</id><title>A</title><price>1 USD</price></item></rss>": Google,
		"<feed><entry><id>1</id><title>A</title><price>1 USD</price></entry></feed>":                      Google,
	} {
		source, format, err := Open(strings.NewReader(content), Options{})
		if err != nil || format != want {
			t.Errorf("%q is %q, want %q (%v)", content, format, want, err)
			continue
		}
		if _, err := source.Next(); err != nil || source.Size() != int64(len(content)) {
			t.Errorf("%q: %d bytes, %v", content, source.Size(), err)
		}
		if _, err := source.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%q has another product: %v", content, err)
		}
	}
}

func TestWhatIsNoFeed(t *testing.T) {
	t.Parallel()
	var file *feed.FileError
	for _, content := range []string{"", "<html><body>log in</body></html>", "a\tb\n", "{}"} {
		if _, _, err := Open(strings.NewReader(content), Options{}); !errors.As(err, &file) {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, _, err := Open(strings.NewReader("x"), Options{Format: "xls"}); contract.CodeOf(err) != contract.CodeInvalid {
		t.Errorf("an unknown format: %v", err)
	}
	// A format that was asked for is believed.
	if _, _, err := Open(strings.NewReader("id\ttitle\tprice\n1\tA\t1\n"), Options{Format: Shopify}); !errors.As(err, &file) {
		t.Errorf("a Google feed read as Shopify's: %v", err)
	}
}
