package feed

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Womens":                 "womens",
		"Women's":                "womens",
		"  Kitchen & Table  ":    "kitchen-table",
		"Crème Brûlée / 2 Stück": "creme-brulee-2-stuck",
		"Straße Ærø Łódź":        "strasse-aero-lodz",
		"already-a-slug-2":       "already-a-slug-2",
		"--a__b--":               "a-b",
		"自転車":                    "",
		"":                       "",
	} {
		if got := Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSlugIsAlwaysASlug(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	rapid.Check(t, func(t *rapid.T) {
		slug := SlugOr("category", rapid.String().Draw(t, "name"))
		if !shape.MatchString(slug) {
			t.Fatalf("%q is no slug", slug)
		}
		if again := Slug(slug); again != slug {
			t.Fatalf("the slug of %q is %q", slug, again)
		}
	})
}

func TestLimitsAreTheContracts(t *testing.T) {
	t.Parallel()
	product, variant := reflect.TypeFor[contract.ProductInput](), reflect.TypeFor[contract.VariantInput]()
	option, image := reflect.TypeFor[contract.Option](), reflect.TypeFor[contract.Image]()
	for _, limit := range []struct {
		of         reflect.Type
		field, tag string
		ours       int
	}{
		{product, "Slug", "maxLength", MaxSlug}, {product, "Title", "maxLength", MaxTitle},
		{product, "Description", "maxLength", MaxDescription}, {product, "Brand", "maxLength", MaxBrand},
		{product, "Tags", "maxItems", MaxTags}, {product, "Images", "maxItems", MaxImages},
		{product, "Variants", "maxItems", MaxVariants}, {variant, "SKU", "maxLength", MaxSKU},
		{variant, "Barcode", "maxLength", MaxBarcode}, {variant, "WeightGrams", "maximum", MaxWeightGrams},
		{option, "Name", "maxLength", MaxOptionName}, {option, "Values", "maxItems", MaxOptionValues},
		{image, "URL", "maxLength", MaxImageURL}, {image, "Alt", "maxLength", MaxImageAlt},
		{reflect.TypeFor[contract.CategoryInput](), "Slug", "maxLength", MaxCategory},
		{reflect.TypeFor[contract.CategoryInput](), "Name", "maxLength", MaxCategory},
		{reflect.TypeFor[contract.StockCount](), "OnHand", "maximum", MaxOnHand},
	} {
		field, ok := limit.of.FieldByName(limit.field)
		if !ok {
			t.Errorf("%s has no field %s", limit.of, limit.field)
			continue
		}
		theirs, err := strconv.Atoi(field.Tag.Get(limit.tag))
		if err != nil || theirs != limit.ours {
			t.Errorf("%s.%s: the contract says %q, feed says %d", limit.of, limit.field, field.Tag.Get(limit.tag), limit.ours)
		}
	}
}

func TestReportKeepsABoundedNumberOfFindings(t *testing.T) {
	t.Parallel()
	var report Report
	for line := range KeptFindings + 5 {
		report.Refuse(Refusal{Line: line})
		report.Note(Note{Line: line})
	}
	if report.Refused != KeptFindings+5 || report.Noted != KeptFindings+5 {
		t.Errorf("counted %d and %d", report.Refused, report.Noted)
	}
	if len(report.Refusals) != KeptFindings || len(report.Notes) != KeptFindings {
		t.Errorf("kept %d and %d", len(report.Refusals), len(report.Notes))
	}
}

func TestFindingsAreOneLine(t *testing.T) {
	t.Parallel()
	refusal := Refusal{Line: 12, Handle: "shirt", Column: "Variant Price", Reason: "is blank"}
	if got := refusal.String(); got != "line 12, shirt, Variant Price: is blank" {
		t.Error(got)
	}
	if got := Note(refusal).String(); got != refusal.String() {
		t.Error(got)
	}
	whole := &FileError{Line: 3, Problem: "is odd", Remedy: "mend it"}
	if got := whole.Error(); got != "line 3: is odd; mend it" || strings.Contains(got, "\n") {
		t.Error(got)
	}
}
