// Package catalog knows what there is to sell: products with their variants and prices, and the tree of categories.
//
// A product has at least one variant; its options say how variants differ, and each variant names exactly one value of each.
// A SKU belongs to one product of the shop. Prices are in minor units, at most one for each currency. What is written is
// brought to a canonical form first and compared by fingerprint: a write that changes nothing makes no version and no event.
// How much there is of a SKU is the inventory's to say; the catalog shows the band it last heard.
package catalog

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
)

// Limits beyond those that contract.ProductInput declares; in characters or members.
const (
	MaxDescription    = 262144
	MaxTag            = 255
	MaxAttributes     = 100
	MaxAttributeName  = 100
	MaxAttributeValue = 1000
	MaxOptionValue    = 255
	MaxBulkProducts   = 200
	MaxBulkCategories = 500
)

// slugForm is what a slug looks like in a URL; an id, with its capitals and underscores, can never be taken for one.
var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Normalize checks what was written of a product and gives its canonical form: text trimmed, HTML sanitised, sets sorted and
// without repeats. It does not know the database: whether categories exist and SKUs are free is for the store to say.
func Normalize(input contract.ProductInput) (contract.ProductInput, error) {
	input.Title, input.Brand = strings.TrimSpace(input.Title), strings.TrimSpace(input.Brand)
	input.Description = SanitizeHTML(input.Description)
	input.Categories = sortedSet(input.Categories)
	input.Tags = withoutRepeats(input.Tags)
	input.Attributes = emptyAsNil(input.Attributes)
	input.Variants = normalizeVariants(input.Variants)
	for _, check := range []func(contract.ProductInput) error{checkProduct, checkLabels, checkOptions, checkImages, checkVariants} {
		if err := check(input); err != nil {
			return contract.ProductInput{}, err
		}
	}
	return input, nil
}

func checkProduct(input contract.ProductInput) error {
	switch {
	case !slugForm.MatchString(input.Slug):
		return contract.Invalid("slug", "%q is not of lower-case letters and digits in words joined by single dashes", input.Slug)
	case input.Title == "":
		return contract.Invalid("title", "must not be empty")
	case utf8.RuneCountInString(input.Description) > MaxDescription:
		return contract.Invalid("description", "has more than %d characters once its HTML is sanitised", MaxDescription)
	case len(input.Variants) == 0:
		return contract.Invalid("variants", "a product needs at least one variant")
	}
	for _, category := range input.Categories {
		if !slugForm.MatchString(category) {
			return contract.Invalid("categories", "%q is not a category slug", category)
		}
	}
	return firstError(checkText("title", input.Title), checkText("description", input.Description), checkText("brand", input.Brand))
}

func checkLabels(input contract.ProductInput) error {
	for _, tag := range input.Tags {
		if err := checkWord("tags", tag, MaxTag); err != nil {
			return err
		}
	}
	if len(input.Attributes) > MaxAttributes {
		return contract.Invalid("attributes", "has more than %d members", MaxAttributes)
	}
	for name, value := range input.Attributes {
		if err := firstError(checkWord("attributes", name, MaxAttributeName), checkText("attributes", value)); err != nil {
			return err
		}
		if utf8.RuneCountInString(value) > MaxAttributeValue {
			return contract.Invalid("attributes", "%q has more than %d characters", name, MaxAttributeValue)
		}
	}
	return nil
}

func checkImages(input contract.ProductInput) error {
	for _, image := range input.Images {
		if err := checkImage("images", image); err != nil {
			return err
		}
	}
	return nil
}

// checkImage refuses addresses that a browser would not fetch as a picture, javascript: among them.
func checkImage(field string, image contract.Image) error {
	address, err := url.Parse(image.URL)
	web := err == nil && (address.Scheme == "https" || address.Scheme == "http") && address.Host != ""
	path := err == nil && address.Scheme == "" && address.Host == "" && strings.HasPrefix(address.Path, "/")
	if !web && !path {
		return contract.Invalid(field, "%q is neither an http(s) address nor a path that begins with /", image.URL)
	}
	return firstError(checkText(field, image.URL), checkText(field, image.Alt))
}

// checkWord refuses a short text that is empty, too long, or led or followed by white space.
func checkWord(field, text string, longest int) error {
	switch {
	case text == "" || strings.TrimSpace(text) != text:
		return contract.Invalid(field, "%q is empty or has white space around it", text)
	case utf8.RuneCountInString(text) > longest:
		return contract.Invalid(field, "%.40q… has more than %d characters", text, longest)
	}
	return checkText(field, text)
}

// checkText refuses control characters: SQL cannot store a NUL, and no page shows the others.
func checkText(field, text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
		return contract.Invalid(field, "contains a control character")
	}
	return nil
}

// fieldAt names a member of an item of a list as requests write it: variants[0].sku.
func fieldAt(list string, at int, member string) string {
	return fmt.Sprintf("%s[%d].%s", list, at, member)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func sortedSet(words []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

func withoutRepeats(words []string) []string {
	seen := map[string]bool{}
	var kept []string
	for _, word := range words {
		if !seen[word] {
			seen[word] = true
			kept = append(kept, word)
		}
	}
	return kept
}

func emptyAsNil(words map[string]string) map[string]string {
	if len(words) == 0 {
		return nil
	}
	return words
}
