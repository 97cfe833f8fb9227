package google

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/text"
)

func readAll(t *testing.T, content string, options Options) ([]feed.Item, *Reader) {
	t.Helper()
	reader, err := Open(strings.NewReader(content), options)
	if err != nil {
		t.Fatalf("the feed is refused: %v", err)
	}
	var items []feed.Item
	for {
		item, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return items, reader
		}
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
}

const tsvFeed = "id\ttitle\tDescription\tlink\timage link\tadditional_image_link\tavailability\tprice\tsale price\tbrand\tgtin\titem_group_id\tcolor\tsize\tmaterial\tproduct_type\tshipping_weight\tquantity\tunknown\n" +
	"TEE-S\tTee 12\" print\tSoft.\thttps://s/t\thttps://h/a.jpg\thttps://h/b.jpg,https://h/c.jpg\tin stock\t19.99 USD\t15.00 USD\tAcme\t0123\tTEE\tRed\tS\tcotton\tApparel > Shirts\t0.25 kg\t7\tx\n" +
	"MUG\tMug\t\"a \"\"quoted\"\"\tmug\"\thttps://s/m\thttps://h/m.jpg\t\tout_of_stock\t1200 JPY\t\tAcme\t\t\t\t\tclay\t2271\t\t9\tx\n" +
	"TEE-M\tTee M\t\thttps://s/t\thttps://h/a.jpg\t\tpreorder\t21 USD\t\t\t\tTEE\tRed\tM\tcotton\t\t\t\tx\n"

const rssFeed = `<?xml version="1.0"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><title>The shop</title>
<item><g:id>TEE-S</g:id><title>Tee 12" print</title><description><![CDATA[Soft.]]></description><link>https://s/t</link><g:image_link>https://h/a.jpg</g:image_link>
<g:additional_image_link>https://h/b.jpg</g:additional_image_link><g:additional_image_link>https://h/c.jpg</g:additional_image_link>
<g:availability>in_stock</g:availability><g:price>19.99 USD</g:price><g:sale_price>15.00 USD</g:sale_price><g:brand>Acme</g:brand><g:gtin>0123</g:gtin>
<g:item_group_id>TEE</g:item_group_id><g:color>Red</g:color><g:size>S</g:size><g:material>cotton</g:material><g:product_type>Apparel &gt; Shirts</g:product_type>
<g:shipping><g:country>US</g:country><g:price>5 USD</g:price></g:shipping><g:shipping_weight>0.25 kg</g:shipping_weight><g:quantity>7</g:quantity></item>
<item><g:id>MUG</g:id><title>Mug</title><g:description>a "quoted"	mug</g:description><description>not this</description><g:image_link>https://h/m.jpg</g:image_link><g:availability>out_of_stock</g:availability>
<g:price>1200 JPY</g:price><g:brand>Acme</g:brand><g:material>clay</g:material><g:product_type>2271</g:product_type><g:quantity>9</g:quantity></item>
<item><g:id>TEE-M</g:id><title>Tee M</title><g:image_link>https://h/a.jpg</g:image_link><g:availability>preorder</g:availability><g:price>21 USD</g:price>
<g:item_group_id>TEE</g:item_group_id><g:color>Red</g:color><g:size>M</g:size><g:material>cotton</g:material></item>
</channel></rss>
`

func wantItems() []feed.Item {
	usd := func(cents int64) []contract.Money { return []contract.Money{{Amount: cents, Currency: "USD"}} }
	picture := &contract.Image{URL: "https://h/a.jpg"}
	return []feed.Item{
		{Line: 3, Product: contract.ProductInput{
			Slug: "mug", Title: "Mug", Description: "a \"quoted\"\tmug", Brand: "Acme", Categories: []string{"2271"}, Published: true,
			Attributes: map[string]string{"material": "clay"}, Images: []contract.Image{{URL: "https://h/m.jpg"}},
			Variants: []contract.VariantInput{{SKU: "MUG", Prices: []contract.Money{{Amount: 1200, Currency: "JPY"}}, Image: &contract.Image{URL: "https://h/m.jpg"}}},
		}, Stock: []feed.SKUStock{{SKU: "MUG", OnHand: 0}}},
		{Line: 2, Product: contract.ProductInput{
			Slug: "tee", Title: "Tee 12\" print", Description: "Soft.", Brand: "Acme", Categories: []string{"apparel-shirts"}, Published: true,
			Attributes: map[string]string{"color": "Red", "material": "cotton"}, Options: []contract.Option{{Name: "Size", Values: []string{"S", "M"}}},
			Images: []contract.Image{{URL: "https://h/a.jpg"}, {URL: "https://h/b.jpg"}, {URL: "https://h/c.jpg"}},
			Variants: []contract.VariantInput{
				{SKU: "TEE-S", Options: map[string]string{"Size": "S"}, Prices: usd(1500), CompareAtPrices: usd(1999), Barcode: "0123", WeightGrams: 250, Image: picture},
				{SKU: "TEE-M", Options: map[string]string{"Size": "M"}, Prices: usd(2100), Image: picture},
			},
		}, Stock: []feed.SKUStock{{SKU: "TEE-S", OnHand: 7}}},
	}
}

func TestBothFormsReadTheSame(t *testing.T) {
	t.Parallel()
	atom := strings.NewReplacer(`<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>`, `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">`,
		"</channel></rss>", "</feed>", "<item>", "<entry>", "</item>", "</entry>", "<description>", "<summary>", "</description>", "</summary>").Replace(rssFeed)
	for name, content := range map[string]string{"tsv": tsvFeed, "rss": rssFeed, "atom": atom, "with mark": "\xef\xbb\xbf" + tsvFeed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !Looks([]byte(strings.TrimPrefix(content, "\xef\xbb\xbf"))) {
				t.Error("it is not recognised")
			}
			items, reader := readAll(t, content, Options{})
			want := wantItems()
			for i := range items {
				if name == "rss" || name == "atom" {
					want[i].Line = items[i].Line
				}
			}
			if diff := cmp.Diff(want, items); diff != "" {
				t.Error(diff)
			}
			report := reader.Report()
			if report.Rows != 3 || report.Products != 2 || report.Variants != 3 || report.Refused != 0 || reader.BytesRead() != int64(len(content)) || reader.Size() != int64(len(content)) {
				t.Errorf("%+v, read %d of %d", report, reader.BytesRead(), reader.Size())
			}
			categories := []contract.CategoryInput{{Slug: "apparel", Name: "Apparel"}, {Slug: "apparel-shirts", Name: "Shirts", Parent: "apparel"}, {Slug: "2271", Name: "2271"}}
			if diff := cmp.Diff(categories, reader.Categories()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFilesThatAreNoWholeFeed(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]struct {
		content, value string
		cause          error
	}{
		"empty":               {"", "", feed.ErrEmpty},
		"only a header":       {tsvFeed[:strings.Index(tsvFeed, "\n")+1], "", feed.ErrNoProduct},
		"no tabs":             {"id,title,price\n1,2,3\n", "id", feed.ErrColumnMissing},
		"two prices":          {"id\ttitle\tprice\tPrice\n", "price", feed.ErrColumnTwice},
		"cut in a row":        {tsvFeed[:len(tsvFeed)-8], "", csv.ErrFieldCount},
		"cut in the last":     {tsvFeed[:len(tsvFeed)-1], "", feed.ErrCutShort},
		"quote left open":     {"id\ttitle\tprice\n1\t2\t\"3 USD\n4\t5\t6\n", "", feed.ErrOpenQuote},
		"latin-1":             {"id\ttitle\tprice\n1\tCaf\xe9\t2\n", "0xE9", nil},
		"another document":    {"<html><body>Sign in</body></html>", "<html>", feed.ErrFormat},
		"cut XML":             {rssFeed[:len(rssFeed)-30], "", feed.ErrCutShort},
		"XML with an error":   {strings.Replace(rssFeed, "</title>", "</titel>", 1), "titel", nil},
		"XML in another code": {strings.Replace(rssFeed, `"1.0"?`, `"1.0" encoding="ISO-8859-1"?`, 1), "ISO-8859-1", nil},
		"an item without end": {
			rssFeed[:strings.Index(rssFeed, "<item>")] + "<item><g:id>" + strings.Repeat("x", 5<<20), "", text.ErrRecordTooLong,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(strings.NewReader(broken.content), Options{})
			var refused *feed.FileError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), broken.value) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want a FileError that names %q", err, broken.value)
			}
			if broken.cause != nil && !errors.Is(refused.Cause, broken.cause) {
				t.Errorf("got cause %v, want %v", refused.Cause, broken.cause)
			}
		})
	}
}

func TestWrongItemsRefuseTheirProductAlone(t *testing.T) {
	t.Parallel()
	const header, good = "id\ttitle\tprice\tavailability\tquantity\titem_group_id\tcolor\timage_link\n", "\nGOOD\tGood\t1 USD\t\t\t\t\t\n"
	for name, bad := range map[string]struct{ rows, column string }{
		"no id":          {"\tT\t1 USD\t\t\t\t\t", "id"},
		"no title":       {"A\t\t1 USD\t\t\t\t\t", "title"},
		"no price":       {"A\tT\t\t\t\t\t\t", "price"},
		"comma price":    {"A\tT\t1,99 EUR\t\t\t\t\t", "price"},
		"odd currency":   {"A\tT\t1 XYZ\t\t\t\t\t", "price"},
		"availability":   {"A\tT\t1 USD\tmaybe\t\t\t\t", "availability"},
		"quantity":       {"A\tT\t1 USD\tin_stock\t-1\t\t\t", "quantity"},
		"picture":        {"A\tT\t1 USD\t\t\t\t\tjavascript:alert(1)", "image_link"},
		"same variant":   {"A\tT\t1 USD\t\t\tG\tRed\t\nB\tT\t1 USD\t\t\tG\tRed\t", "item_group_id"},
		"half an option": {"A\tT\t1 USD\t\t\tG\tRed\t\nB\tT\t1 USD\t\t\tG\t\t", "color"},
		"id twice":       {"A\tT\t1 USD\t\t\tG\tRed\t\nA\tT\t1 USD\t\t\tG\tBlue\t", "id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items, reader := readAll(t, header+bad.rows+good, Options{})
			report := reader.Report()
			if len(items) != 1 || items[0].Product.Slug != "good" || report.Refused != 1 || report.Refusals[0].Column != bad.column {
				t.Fatalf("%+v %+v", items, report)
			}
		})
	}
}

func TestPricesAndSales(t *testing.T) {
	t.Parallel()
	for _, price := range []struct{ price, sale, dates, want, before string }{
		{"19.99 USD", "", "", "19.99 USD", ""}, {"USD 19.99", "", "", "19.99 USD", ""}, {"19.99usd", "", "", "19.99 USD", ""}, {"19.99", "", "", "19.99 EUR", ""},
		{"10 USD", "8.50 USD", "", "8.50 USD", "10.00 USD"}, {"10 USD", "10 USD", "", "10.00 USD", ""}, {"10 USD", "8 USD", "2026-01-01/2026-02-01", "10.00 USD", ""},
		{"1.250 KWD", "", "", "1.250 KWD", ""},
	} {
		items, _ := readAll(t, fmt.Sprintf("id\ttitle\tprice\tsale_price\tsale_price_effective_date\nA\tT\t%s\t%s\t%s\n", price.price, price.sale, price.dates), Options{Currency: "EUR"})
		v := items[0].Product.Variants[0]
		before := ""
		if len(v.CompareAtPrices) > 0 {
			before = v.CompareAtPrices[0].String()
		}
		if v.Prices[0].String() != price.want || before != price.before {
			t.Errorf("%+v gave %v before %v", price, v.Prices, v.CompareAtPrices)
		}
	}
}

// The order of a feed's items does not matter: each group comes out whole, with the same variants.
func TestScatteredGroupsComeTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var rows []string
		for i := range rapid.IntRange(1, 40).Draw(t, "items") {
			group := rapid.IntRange(0, 8).Draw(t, "group")
			rows = append(rows, fmt.Sprintf("S%d\tT\t1 USD\tG%d\tcolor %d", i, group, i))
		}
		variants := func(rows []string) map[string][]string {
			reader, err := Open(strings.NewReader("id\ttitle\tprice\titem_group_id\tcolor\n"+strings.Join(rows, "\n")+"\n"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			groups := map[string][]string{}
			for {
				item, err := reader.Next()
				if errors.Is(err, io.EOF) {
					return groups
				}
				if err != nil || groups[item.Product.Slug] != nil {
					t.Fatalf("%v, %s again", err, item.Product.Slug)
				}
				for _, v := range item.Product.Variants {
					groups[item.Product.Slug] = append(groups[item.Product.Slug], v.SKU)
				}
				slices.Sort(groups[item.Product.Slug])
			}
		}
		sorted := slices.SortedStableFunc(slices.Values(rows), func(a, b string) int {
			return strings.Compare(strings.Split(a, "\t")[3], strings.Split(b, "\t")[3])
		})
		if diff := cmp.Diff(variants(sorted), variants(rows)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzTSV(f *testing.F) {
	f.Add([]byte(tsvFeed))
	f.Add([]byte("id\ttitle\tprice\titem_group_id\n1\t\"2\t3\t\n2\t\t\tG\n3\tx\ty\tG\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if !bytes.HasPrefix(bytes.TrimSpace(file), []byte("<")) {
			fuzz(t, file)
		}
	})
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(rssFeed))
	f.Add([]byte(`<feed><entry><id>1</id><title>a</title><price>1 USD</price></entry></feed>`))
	f.Add([]byte(`<rss><!DOCTYPE x [<!ENTITY a "&b;">]><item><g:id>&a;</g:id></item></rss>`))
	f.Fuzz(func(t *testing.T, file []byte) {
		if bytes.HasPrefix(bytes.TrimSpace(file), []byte("<")) {
			fuzz(t, file)
		}
	})
}

// fuzz holds the reader to its promises on any bytes.
func fuzz(t *testing.T, file []byte) {
	t.Helper()
	reader, err := Open(bytes.NewReader(file), Options{})
	if err != nil {
		var refused *feed.FileError
		if !errors.As(err, &refused) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("not a FileError on one line: %v", err)
		}
		return
	}
	skus, slugs := map[string]bool{}, map[string]bool{}
	for {
		item, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("a checked feed fails: %v", err)
		}
		product := item.Product
		if slugs[product.Slug] || product.Slug == "" || product.Title == "" || len(product.Slug) > feed.MaxSlug || len(product.Variants) == 0 || item.Line < 1 {
			t.Fatalf("incomplete or doubled: %+v", item)
		}
		slugs[product.Slug] = true
		for _, v := range product.Variants {
			if v.SKU == "" || skus[v.SKU] || len([]rune(v.SKU)) > feed.MaxSKU || len(v.Prices) != 1 || v.Prices[0].Amount < 0 || len(v.Options) != len(product.Options) {
				t.Fatalf("variant %+v", v)
			}
			skus[v.SKU] = true
		}
		for _, stock := range item.Stock {
			if !skus[stock.SKU] || stock.OnHand < 0 {
				t.Fatalf("stock %+v", stock)
			}
		}
	}
	if report, survey := reader.Report(), reader.Survey(); report.Rows != survey.Rows || report.Products+report.Refused < survey.Products {
		t.Fatalf("report %+v, survey %d rows, %d products", report, survey.Rows, survey.Products)
	}
}
