package google

import (
	"strings"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// maxDepth bounds the steps of one category path.
const maxDepth = 10

// categoryPath gives a record's category as the steps from the top: product_type, or a google_product_category in words.
func categoryPath(r *record) []string {
	path := r.first("product_type")
	if path == "" {
		path = r.first("google_product_category")
		if strings.Trim(path, "0123456789") == "" {
			return nil
		}
	}
	var steps []string
	for step := range strings.SplitSeq(path, ">") {
		if step = strings.Join(strings.Fields(step), " "); step != "" {
			steps = append(steps, step)
		}
	}
	return steps
}

// categories makes the category of a path and all above it, parents first; the slug of each is that of its whole path, because
// "Men > Shoes" and "Women > Shoes" are two. False when a name is too long, or the path too deep, to be one.
func categories(path []string) ([]contract.CategoryInput, bool) {
	if len(path) > maxDepth {
		return nil, false
	}
	var all []contract.CategoryInput
	parent := ""
	for i, name := range path {
		slug := feed.SlugOr("category", strings.Join(path[:i+1], " "))
		if slug == parent {
			slug += "-" + feed.Fingerprint(name) // a step in another script adds nothing to the slug by itself
		}
		if utf8.RuneCountInString(name) > feed.MaxCategory || len(slug) > feed.MaxCategory {
			return nil, false
		}
		all = append(all, contract.CategoryInput{Slug: slug, Name: strings.Clone(name), Parent: parent})
		parent = slug
	}
	return all, true
}
