package catalog

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

func TestNormalizeNamesTheFieldAtFault(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		field  string
		damage func(p *contract.ProductInput)
	}{
		"slug with capitals":       {"slug", func(p *contract.ProductInput) { p.Slug = "Shirt" }},
		"slug like an id":          {"slug", func(p *contract.ProductInput) { p.Slug = "prd_use_01k9zx3m5q8t2v4w6y7z8a9bcd" }},
		"blank title":              {"title", func(p *contract.ProductInput) { p.Title = "  " }},
		"NUL in the title":         {"title", func(p *contract.ProductInput) { p.Title = "a\x00b" }},
		"description too long":     {"description", func(p *contract.ProductInput) { p.Description = strings.Repeat("&", MaxDescription/4) }},
		"category not a slug":      {"categories", func(p *contract.ProductInput) { p.Categories = []string{"A b"} }},
		"empty tag":                {"tags", func(p *contract.ProductInput) { p.Tags = []string{""} }},
		"long tag":                 {"tags", func(p *contract.ProductInput) { p.Tags = []string{strings.Repeat("x", MaxTag+1)} }},
		"long attribute":           {"attributes", func(p *contract.ProductInput) { p.Attributes["a"] = strings.Repeat("x", MaxAttributeValue+1) }},
		"picture that is a script": {"images", func(p *contract.ProductInput) { p.Images[0].URL = "javascript:alert(1)" }},
		"picture without scheme":   {"images", func(p *contract.ProductInput) { p.Images[0].URL = "//evil.example/x.jpg" }},
		"no variant":               {"variants", func(p *contract.ProductInput) { p.Variants = nil }},
		"option twice":             {"options[1].name", func(p *contract.ProductInput) { p.Options[1].Name = "Size" }},
		"option's value twice":     {"options[0].values", func(p *contract.ProductInput) { p.Options[0].Values = []string{"S", "S"} }},
		"SKU twice":                {"variants[1].sku", func(p *contract.ProductInput) { p.Variants[1].SKU = p.Variants[0].SKU }},
		"SKU with white space":     {"variants[0].sku", func(p *contract.ProductInput) { p.Variants[0].SKU = " x" }},
		"options missing":          {"variants[2].options", func(p *contract.ProductInput) { p.Variants[2].Options = nil }},
		"option not the product's": {"variants[2].options", func(p *contract.ProductInput) { p.Variants[2].Options = map[string]string{"Size": "S", "Fit": "Slim"} }},
		"value not the option's":   {"variants[2].options", func(p *contract.ProductInput) { p.Variants[2].Options["Size"] = "XXL" }},
		"combination twice":        {"variants[3].options", func(p *contract.ProductInput) { p.Variants[3].Options = p.Variants[0].Options }},
		"currency unknown":         {"variants[0].prices", func(p *contract.ProductInput) { p.Variants[0].Prices[0].Currency = "XYZ" }},
		"price below nothing":      {"variants[0].prices", func(p *contract.ProductInput) { p.Variants[0].Prices[0].Amount = -1 }},
		"price beyond the largest": {"variants[0].prices", func(p *contract.ProductInput) { p.Variants[0].Prices[0].Amount = contract.MaxAmount + 1 }},
		"currency twice":           {"variants[0].prices", func(p *contract.ProductInput) { p.Variants[0].Prices[0].Currency = "EUR" }},
		"compared with no price": {"variants[0].compare_at_prices", func(p *contract.ProductInput) {
			p.Variants[0].CompareAtPrices = []contract.Money{{Amount: 1, Currency: "JPY"}}
		}},
	}
	for name, c := range cases {
		product := shirt("shirt")
		c.damage(&product)
		_, err := Normalize(product)
		var typed *contract.Error
		if !errors.As(err, &typed) || typed.Code != contract.CodeInvalid || typed.Field != c.field {
			t.Errorf("%s: %v (field %q), want field %q", name, err, typed.Field, c.field)
		}
	}
}

func TestNormalizeAllowsWhatShopsHave(t *testing.T) {
	t.Parallel()
	free := mug("free")
	free.Variants[0].Prices[0].Amount = 0
	unpriced := mug("unpriced")
	unpriced.Variants[0].Prices = []contract.Money{}
	local := mug("local")
	local.Images = []contract.Image{{URL: "/images/mug.jpg"}}
	for _, product := range []contract.ProductInput{shirt("shirt"), free, unpriced, local} {
		if _, err := Normalize(product); err != nil {
			t.Errorf("%s: %v", product.Slug, err)
		}
	}
}

func TestSanitizeHTMLLeavesNothingThatRuns(t *testing.T) {
	t.Parallel()
	for _, html := range []string{
		`<script>alert(1)</script><p>a</p>`, `<p onclick="x()">a</p>`, `<a href="javascript:x()">a</a>`, `<iframe src="https://e.example"></iframe>a`,
		`<img src=x onerror=x()>a`, `<style>p{}</style>a`, `<svg onload=x()>a`,
	} {
		clean := strings.ToLower(SanitizeHTML(html))
		for _, bad := range []string{"script", "onclick", "onerror", "onload", "iframe", "style", "svg"} {
			if strings.Contains(clean, bad) || !strings.Contains(clean, "a") {
				t.Errorf("%s became %s", html, clean)
			}
		}
	}
	if kept := `<p>A <strong>good</strong> <em>shirt</em></p><ul><li>one</li></ul>`; SanitizeHTML(kept) != kept {
		t.Errorf("%s became %s", kept, SanitizeHTML(kept))
	}
}

// What is stored is written again by a patch, which must not change it.
func TestNormalizeTwiceIsOnce(t *testing.T) {
	t.Parallel()
	pieces := []string{"<p>", "</p>", "a", "&", "&amp;", "<b>", "</b>", `<a href="https://x.example/?a=1&b=2">`, "</a>", "\"", "'", "<", ">", "é", "\n"}
	rapid.Check(t, func(t *rapid.T) {
		product := shirt("shirt")
		product.Description = strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 20).Draw(t, "html"), "")
		product.Categories = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 5).Draw(t, "categories")
		product.Tags = rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 5).Draw(t, "tags")
		once, err := Normalize(product)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Normalize(once)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(once, twice); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestTheOrderOfPricesAndCategoriesDoesNotCount(t *testing.T) {
	t.Parallel()
	one, other := shirt("shirt", "a", "b"), shirt("shirt", "b", "a", "b")
	prices := other.Variants[0].Prices
	prices[0], prices[1] = prices[1], prices[0]
	first, err := newWish(one, "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := newWish(other, "")
	if err != nil {
		t.Fatal(err)
	}
	other.Variants[0].Prices[0].Amount++
	third, err := newWish(other, "")
	if err != nil {
		t.Fatal(err)
	}
	if string(first.hash) != string(second.hash) || string(second.hash) == string(third.hash) {
		t.Error("the fingerprint does not tell what counts from what does not")
	}
}
