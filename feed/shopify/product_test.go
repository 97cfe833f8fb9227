package shopify

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

func usd(amount int64) []contract.Money { return []contract.Money{{Amount: amount, Currency: "USD"}} }

func TestProductOfSeveralRows(t *testing.T) {
	t.Parallel()
	text := "Variant Price,Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value," +
		"Variant SKU,Variant Grams,Variant Inventory Qty,Variant Compare At Price,Variant Barcode,Image Src,Image Alt Text,Variant Image," +
		"Variant Weight Unit,Google Shopping / Age Group,Google Shopping / Custom Product,Included / Ireland,Price / Ireland,SEO Title\n" +
		"10.00,coat,Coat,\"<p>Warm,\n\"\"very\"\"</p>\",Brae,Outer Wear,\"warm, wool,warm\",TRUE,Size,S,Color,Red,C-S,900,3,12.50,'5012345678900," +
		"https://img.example/1.jpg,Front,https://img.example/2.jpg,lb,adult,false,true,99,x\n" +
		"11.00,coat,,,,,,,,M,,Red,C-M,950.5,-4,0.00,,https://img.example/2.jpg,,,lb,,,,,\n" +
		",coat,,,,,,,,,,,,,,,,https://img.example/3.jpg,,,,,,,,\n" +
		",,,,,,,,,,,,,,,,,,,,,,,,,\n"
	items, report := readAll(t, text, Options{})
	want := []feed.Item{{
		Line: 2,
		Product: contract.ProductInput{
			Slug: "coat", Title: "Coat", Description: "<p>Warm,\n\"very\"</p>", Brand: "Brae", Categories: []string{"outer-wear"},
			Tags: []string{"warm", "wool"}, Attributes: map[string]string{"age_group": "adult"}, Published: true,
			Options: []contract.Option{{Name: "Size", Values: []string{"S", "M"}}, {Name: "Color", Values: []string{"Red"}}},
			Images: []contract.Image{{URL: "https://img.example/1.jpg", Alt: "Front"}, {URL: "https://img.example/2.jpg"},
				{URL: "https://img.example/3.jpg"}},
			Variants: []contract.VariantInput{
				{SKU: "C-S", Options: map[string]string{"Size": "S", "Color": "Red"}, Prices: usd(1000), CompareAtPrices: usd(1250),
					Barcode: "5012345678900", WeightGrams: 900, Image: &contract.Image{URL: "https://img.example/2.jpg"}},
				{SKU: "C-M", Options: map[string]string{"Size": "M", "Color": "Red"}, Prices: usd(1100), WeightGrams: 951},
			},
		},
		Stock: []feed.SKUStock{{SKU: "C-S", OnHand: 3}, {SKU: "C-M", OnHand: 0}},
	}}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Error(diff)
	}
	wantReport := feed.Report{Rows: 3, Products: 1, Variants: 2, Prices: 2, Images: 3, StockCounts: 2, Noted: 1, Notes: []feed.Note{
		{Line: 4, Handle: "coat", Column: "Variant Inventory Qty", Reason: "-4 units are taken as 0 on hand"},
	}}
	if diff := cmp.Diff(wantReport, report); diff != "" {
		t.Error(diff)
	}
}

func TestNewTemplate(t *testing.T) {
	t.Parallel()
	text := "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,Option1 name," +
		"Option1 value,Option1 Linked To,Price,Compare-at price,Inventory quantity,Weight value (grams),Weight unit for display," +
		"Product image URL,Image position,Image alt text,Variant image URL,Color (product.metafields.shopify.color-pattern)," +
		"Google Shopping / Manufacturer part number (MPN)\n" +
		"Mug,mug,Holds tea.,Brae,Home > Kitchen > Mugs,,gift,TRUE,Draft,M1,123,Title,Default Title,,9,,,300,oz," +
		"https://img.example/back.jpg,2,,,black; white,'0042\n" +
		",mug,,,,,,,,,,,,,,,,,,https://img.example/front.jpg,1,,,,\n"
	items, _ := readAll(t, text, Options{Currency: "JPY"})
	want := []feed.Item{{Line: 2, Product: contract.ProductInput{
		Slug: "mug", Title: "Mug", Description: "Holds tea.", Brand: "Brae", Categories: []string{"mugs"}, Tags: []string{"gift"},
		Attributes: map[string]string{"color": "black; white", "mpn": "0042"},
		Images:     []contract.Image{{URL: "https://img.example/front.jpg"}, {URL: "https://img.example/back.jpg"}},
		Variants:   []contract.VariantInput{{SKU: "M1", Prices: []contract.Money{{Amount: 9, Currency: "JPY"}}, Barcode: "123", WeightGrams: 300}},
	}}}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Error(diff)
	}
}

func TestWhatRefusesAProductRefusesNoOther(t *testing.T) {
	t.Parallel()
	const columns = "Handle,Title,Vendor,Type,Tags,Published,Status,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU," +
		"Variant Grams,Variant Weight Unit,Variant Inventory Qty,Variant Price,Variant Compare At Price,Variant Barcode,Image Src,Image Alt Text,Variant Image,Image Position\n"
	row := func(values string) string {
		cells := make([]string, strings.Count(columns, ",")+1)
		names := strings.Split(strings.TrimSpace(columns), ",")
		for pair := range strings.SplitSeq(values, ";") {
			name, value, _ := strings.Cut(pair, "=")
			for i := range names {
				if names[i] == name {
					cells[i] = `"` + value + `"`
				}
			}
		}
		return strings.Join(cells, ",") + "\n"
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, bad := range map[string]struct {
		rows   []string
		line   int
		column string
		// value is what the reason names; "" where line and column tell the case apart.
		value string
	}{
		"price is a word":   {[]string{"Title=B;Variant SKU=B;Variant Price=free"}, 4, "Variant Price", `"free"`},
		"price is negative": {[]string{"Title=B;Variant SKU=B;Variant Price=-1"}, 4, "Variant Price", `"-1"`},
		"price with comma":  {[]string{"Title=B;Variant SKU=B;Variant Price=1,50"}, 4, "Variant Price", `"1,50"`},
		"too many decimals": {[]string{"Title=B;Variant SKU=B;Variant Price=1.005"}, 4, "Variant Price", `"1.005"`},
		"price too long": {
			[]string{"Title=B;Variant SKU=B;Variant Price=" + strings.Repeat("9", 5000)},
			4, "Variant Price", `"9999`,
		},
		"price too large": {
			[]string{"Title=B;Variant SKU=B;Variant Price=99999999999999"},
			4, "Variant Price", `"99999999999999"`,
		},
		"compare-at is bad": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Variant Compare At Price=x"},
			4, "Variant Compare At Price", `"x"`,
		},
		"second row's price": {
			[]string{"Title=B;Option1 Name=S;Option1 Value=1;Variant Price=1", "Option1 Value=2;Variant Price=?"},
			5, "Variant Price", `"?"`,
		},
		"price blank": {
			[]string{"Title=B;Option1 Name=S;Option1 Value=1;Variant Price=1", "Option1 Value=2"},
			5, "Variant Price", "",
		},
		"nothing to sell": {[]string{"Title=B"}, 4, "Variant Price", ""},
		"no title":        {[]string{"Variant SKU=B;Variant Price=1"}, 4, "Title", ""},
		"long title":      {[]string{"Variant SKU=B;Variant Price=1;Title=" + long(501)}, 4, "Title", "501"},
		"long vendor":     {[]string{"Title=B;Variant SKU=B;Variant Price=1;Vendor=" + long(201)}, 4, "Vendor", "201"},
		"long type": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Type=" + long(201)},
			4, "Type", strconv.Itoa(feed.MaxCategory),
		},
		"long tag": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Tags=" + long(256)},
			4, "Tags", strconv.Itoa(maxTag),
		},
		"long SKU": {
			[]string{"Title=B;Variant Price=1;Variant SKU=" + long(101)},
			4, "Variant SKU", strconv.Itoa(feed.MaxSKU),
		},
		"SKU with line break": {[]string{"Title=B;Variant Price=1;Variant SKU=A\nB"}, 4, "Variant SKU", `"A\nB"`},
		"long barcode": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Variant Barcode=" + long(101)},
			4, "Variant Barcode", "101",
		},
		"unit unknown": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Variant Weight Unit=stone"},
			4, "Variant Weight Unit", `"stone"`,
		},
		"grams are no number": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Variant Grams=NaN"},
			4, "Variant Grams", `"NaN"`,
		},
		"grams are negative": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Variant Grams=-1"},
			4, "Variant Grams", `"-1"`,
		},
		"quantity is half": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Variant Inventory Qty=1.5"},
			4, "Variant Inventory Qty", `"1.5"`,
		},
		"quantity too large": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Variant Inventory Qty=1000000001"},
			4, "Variant Inventory Qty", `"1000000001"`,
		},
		"published is odd":  {[]string{"Title=B;Variant SKU=B;Variant Price=1;Published=maybe"}, 4, "Published", `"maybe"`},
		"status is odd":     {[]string{"Title=B;Variant SKU=B;Variant Price=1;Status=gone"}, 4, "Status", `"gone"`},
		"picture is a path": {[]string{"Title=B;Variant SKU=B;Variant Price=1;Image Src=a.jpg"}, 4, "Image Src", `"a.jpg"`},
		"picture is a script": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Image Src=javascript:alert(1)"},
			4, "Image Src", `"javascript:alert(1)"`,
		},
		"variant's picture": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Variant Image=ftp://h/a"},
			4, "Variant Image", `"ftp://h/a"`,
		},
		"long alt text": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Image Src=https://h/a;Image Alt Text=" + long(501)},
			4, "Image Alt Text", "501",
		},
		"picture's place": {
			[]string{"Title=B;Variant SKU=B;Variant Price=1;Image Src=https://h/a;Image Position=first"},
			4, "Image Position", `"first"`,
		},
		"value without name": {[]string{"Title=B;Option1 Value=S;Variant Price=1"}, 4, "Option1 Name", `"S"`},
		"name without value": {
			[]string{"Title=B;Option1 Name=S;Option1 Value=1;Option2 Name=C;Variant Price=1"},
			4, "Option2 Value", `"C"`,
		},
		"same option twice": {
			[]string{"Title=B;Option1 Name=S;Option1 Value=1;Option2 Name=S;Option2 Value=2;Variant Price=1"},
			4, "Option2 Name", `"S"`,
		},
		"same values twice": {
			[]string{"Title=B;Option1 Name=S;Option1 Value=1;Variant Price=1", "Option1 Value=1;Variant Price=2"},
			5, "", "",
		},
		"handle lost": {
			[]string{"Title=B;Option1 Name=S;Option1 Value=1;Variant Price=1", "Handle=;Option1 Value=2;Variant Price=2"},
			5, "Handle", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := func(handle string) string {
				return row("Handle=" + handle + ";Title=G;Variant SKU=" + handle + ";Variant Price=1")
			}
			text := columns + good("first") + good("second")
			for _, values := range bad.rows {
				text += row("Handle=bad;" + values)
			}
			items, report := readAll(t, text+good("last"), Options{})
			var handles []string
			for _, item := range items {
				handles = append(handles, item.Product.Slug)
			}
			if fmt.Sprint(handles) != "[first second last]" {
				t.Errorf("products %v", handles)
			}
			if len(report.Refusals) != 1 {
				t.Fatalf("refusals %v", report.Refusals)
			}
			refusal := report.Refusals[0]
			if refusal.Handle != "bad" || refusal.Line != bad.line || refusal.Column != bad.column ||
				refusal.Reason == "" || !strings.Contains(refusal.Reason, bad.value) {
				t.Errorf("got %q, want line %d, column %q, %q", refusal, bad.line, bad.column, bad.value)
			}
			if len(refusal.String()) > 300 || strings.Contains(refusal.String(), "\n") {
				t.Errorf("not one short line: %q", refusal)
			}
		})
	}
}

func TestStrayRowsBelongToNobody(t *testing.T) {
	t.Parallel()
	items, report := readAll(t, simple+",X,,,,,S0,1.00,,\na,A,,,,,S1,1.00,,\n,Y,,,,,S2,1.00,,\nb,B,,,,,S3,1.00,,\n", Options{})
	if len(items) != 2 || report.Refused != 2 || report.Refusals[0].Line != 2 || report.Refusals[1].Line != 4 {
		t.Errorf("%d products, %v", len(items), report.Refusals)
	}
}

func TestScatteredRowsComeTogether(t *testing.T) {
	t.Parallel()
	items, report := readAll(t, simple+
		"a,A,Size,S,,,A-S,1.00,,\n"+
		"b,B,,,,,B-1,2.00,,\n"+
		"a,,,M,,,A-M,3.00,,\n"+
		"c,C,Size,S,,,C-S,4.00,,\n"+
		"a,,,L,,,A-L,5.00,,\n"+
		"c,,,M,,,C-M,6.00,,\n"+
		"d,D,,,,,D-1,7.00,,\n", Options{})
	got := map[string]int{}
	for _, item := range items {
		got[item.Product.Slug] = len(item.Product.Variants)
	}
	if diff := cmp.Diff(map[string]int{"a": 3, "b": 1, "c": 2, "d": 1}, got); diff != "" || report.Refused != 0 {
		t.Error(diff, report.Refusals)
	}
}

func TestAStrayRowSpoilsTheScatteredProductBeforeIt(t *testing.T) {
	t.Parallel()
	items, report := readAll(t, simple+
		"a,A,Size,S,,,A-S,1.00,,\nb,B,,,,,B-1,2.00,,\na,,,M,,,A-M,3.00,,\n,,,L,,,A-L,5.00,,\nd,D,,,,,D-1,7.00,,\n", Options{})
	if len(items) != 2 || report.Refused != 1 || report.Refusals[0].Handle != "a" || report.Refusals[0].Line != 5 {
		t.Errorf("%d products, %v", len(items), report.Refusals)
	}
}

func TestHandlesThatAreNoAddress(t *testing.T) {
	t.Parallel()
	items, report := readAll(t, simple+"Caf\u00e9_Mug,A,,,,,S1,1.00,,\n自転車,B,,,,,S2,1.00,,\ncafe-mug,C,,,,,S3,1.00,,\n", Options{})
	if len(items) != 2 || items[0].Product.Slug != "cafe-mug" || !strings.HasPrefix(items[1].Product.Slug, "product-") || report.Noted != 2 {
		t.Errorf("%+v, %v", items, report.Notes)
	}
	if report.Refused != 1 || report.Refusals[0].Handle != "cafe-mug" ||
		!strings.Contains(report.Refusals[0].Reason, items[0].Product.Slug) {
		t.Errorf("%v", report.Refusals)
	}
}

func TestCategories(t *testing.T) {
	t.Parallel()
	reader, err := Open(strings.NewReader("Handle,Title,Type,Product Category,Variant Price\n"+
		"a,A,Men's Shirts,,1\nb,B,,Home > Mugs,1\nc,C,mens shirts,,1\nd,D,,,1\ne,E,Ø,,1\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []contract.CategoryInput{{Slug: "mens-shirts", Name: "Men's Shirts"}, {Slug: "mugs", Name: "Mugs"}, {Slug: "o", Name: "Ø"}}
	if diff := cmp.Diff(want, reader.Survey().Categories()); diff != "" {
		t.Error(diff)
	}
	items, _ := drain(t, reader)
	for i, want := range []string{"[mens-shirts]", "[mugs]", "[mens-shirts]", "[]", "[o]"} {
		if got := fmt.Sprint(items[i].Product.Categories); got != want {
			t.Errorf("product %d is in %s, want %s", i, got, want)
		}
	}
}
