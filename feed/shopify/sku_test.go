package shopify

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/feed"
)

func skusOf(items []feed.Item) []string {
	var all []string
	for _, item := range items {
		for _, variant := range item.Product.Variants {
			all = append(all, variant.SKU)
		}
	}
	return all
}

func TestSKUsThatHadToBeMadeUp(t *testing.T) {
	t.Parallel()
	items, report := readAll(t, simple+
		"mug,Mug,,,,,,1.00,,\n"+
		"coat,Coat,Size,S,Color,Dark Red,,1.00,,\n"+
		"coat,,,M,,Dark Red,SAME,1.00,,\n"+
		"coat,,,L,,Dark Red,SAME,1.00,,\n"+
		"hat,Hat,,,,,SAME,1.00,,\n"+
		"vest,Vest,Size,L,Color,Dark Red,SAME,1.00,,\n"+
		strings.Repeat("long-", 30)+"handle,Long,,,,,,1.00,,\n", Options{})
	got := skusOf(items)
	want := []string{"mug", "coat-s-dark-red", "SAME", "SAME-l-dark-red", "SAME-hat", "SAME-vest-l-dark-red"}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Error(diff)
	}
	if last := got[len(want)]; len(last) > feed.MaxSKU || !strings.HasPrefix(last, "long-long-") {
		t.Errorf("got %q", last)
	}
	if report.Noted != 6 {
		t.Errorf("notes %v", report.Notes)
	}
}

// A refused product keeps its SKUs taken, so that mending it later renames no variant of another product.
func TestMendingAProductRenamesNoOther(t *testing.T) {
	t.Parallel()
	file := func(price string) string { return simple + "a,A,,,,,SAME," + price + ",,\nb,B,,,,,SAME,1.00,,\n" }
	broken, _ := readAll(t, file("oops"), Options{})
	mended, _ := readAll(t, file("1.00"), Options{})
	if broken[0].Product.Variants[0].SKU != mended[1].Product.Variants[0].SKU {
		t.Errorf("%q became %q", broken[0].Product.Variants[0].SKU, mended[1].Product.Variants[0].SKU)
	}
}

// Whatever handles, option values and SKUs a file holds, its SKUs come out distinct, bounded, and the same each time.
func TestSKUsAreDistinctBoundedAndSteady(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]string{"a", "b", "a-b", "b-c", "a b", "c", "ü", "u", strings.Repeat("long ", 30), "自", "転"})
		skus := rapid.SampledFrom([]string{"", "", "a", "b", "a-b", "a-b-c", "SAME", "SAME-a", strings.Repeat("x", 100), strings.Repeat("é", 100)})
		var file strings.Builder
		file.WriteString(simple)
		for product := range rapid.IntRange(1, 8).Draw(t, "products") {
			handle := fmt.Sprintf("%s-%d", rapid.SampledFrom([]string{"a", "b", "a-b", strings.Repeat("h", 120)}).Draw(t, "handle"), product)
			for i, value := range rapid.SliceOfNDistinct(names, 1, 5, rapid.ID).Draw(t, "values") {
				title := ","
				if i == 0 {
					title = "T,Size"
				}
				fmt.Fprintf(&file, "%s,%s,%s,,,%s,1.00,,\n", handle, title, value, skus.Draw(t, "sku"))
			}
		}
		read := func() []string {
			reader, err := Open(strings.NewReader(file.String()), Options{})
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			var items []feed.Item
			for {
				item, err := reader.Next()
				if err != nil {
					break
				}
				items = append(items, item)
			}
			if refused := reader.Report().Refused; refused != 0 {
				t.Fatalf("%v", reader.Report().Refusals)
			}
			return skusOf(items)
		}
		first := read()
		if diff := cmp.Diff(first, read()); diff != "" {
			t.Fatalf("the second reading differs: %s", diff)
		}
		seen := map[string]bool{}
		for _, sku := range first {
			if seen[sku] || sku == "" || utf8.RuneCountInString(sku) > feed.MaxSKU || !utf8.ValidString(sku) {
				t.Fatalf("%q is empty, too long, or there twice in %q", sku, first)
			}
			seen[sku] = true
		}
	})
}
