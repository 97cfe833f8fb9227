package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/services/kit/httpx"
)

// What the public reads say of how long they may be kept: a browser asks each time, which its ETag makes cheap; the edge keeps
// an answer, or that there is none, for as long as the promise of freshness allows.
const (
	browserCaching = "public, max-age=0, must-revalidate"
	edgeCaching    = "max-age=2"
)

// Cache-Tag values. A purge of product:<id> reaches every answer that shows the product, of category:<slug> the lists of the
// category and its products, of "products" the lists of no category, and of "categories" the tree.
const (
	tagAllProducts = "products"
	tagCategories  = "categories"
)

func productTag(id string) string    { return "product:" + id }
func categoryTag(slug string) string { return "category:" + slug }

// document is JSON that was written once, for its entity tag and for the answer; the API's document shows it as a T.
type document[T any] struct{ json.RawMessage }

// Schema gives the schema of T.
func (document[T]) Schema(registry huma.Registry) *huma.Schema {
	return registry.Schema(reflect.TypeFor[T](), true, "")
}

// cached is the answer to a public read. It depends on nothing but the URL and what is stored.
type cached[T any] struct {
	Status          int
	ETag            string `header:"ETag"`
	CacheControl    string `header:"Cache-Control"`
	CDNCacheControl string `header:"CDN-Cache-Control"`
	CacheTag        string `header:"Cache-Tag" doc:"What a purge by tag reaches this answer by"`
	Link            string `header:"Link"`
	Body            document[T]
}

// represent writes an answer whose entity tag is of its bytes, bands and all; 304 when the reader has these already.
func represent[T any](value T, ifNoneMatch string, tags []string) (*cached[T], error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // descriptions are HTML, and escapes would make them a third longer
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	answer := &cached[T]{
		Status: http.StatusOK, ETag: httpx.ETag(fmt.Sprintf("%016x", xxhash.Sum64(body.Bytes()))),
		CacheControl: browserCaching, CDNCacheControl: edgeCaching, CacheTag: strings.Join(tags, ","),
		Body: document[T]{body.Bytes()},
	}
	if ifNoneMatch != "" && httpx.Matches(ifNoneMatch, answer.ETag) {
		answer.Status = http.StatusNotModified
	}
	return answer, nil
}

// keepAbsence lets the edge keep a 404 too, so that a wrong link costs the origin no more than a right one.
func keepAbsence(ctx huma.Context, next func(huma.Context)) {
	next(ctx)
	if ctx.Status() == http.StatusNotFound {
		ctx.SetHeader("Cache-Control", browserCaching)
		ctx.SetHeader("CDN-Cache-Control", edgeCaching)
	}
}
