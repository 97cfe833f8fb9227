package journeys_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/services/contract"
)

// importReport is what `meridian import --json` prints, as far as it is checked here.
type importReport struct {
	Products, Variants, Prices, Refused int64
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
			err := s.run(t.Context(), new(strings.Builder), "import", path)
			if err == nil || !strings.Contains(err.Error(), "nothing was imported") || strings.Contains(err.Error(), "goroutine") {
				t.Fatalf("got %v", err)
			}
		})
	}
	for _, slug := range []string{"harm-1", "harm-2", "harm-3", "harm-4"} {
		s.ask(t, "LHR", http.MethodGet, "/api/v1/products/"+slug, nil, nil).want(t, http.StatusNotFound)
	}
}
