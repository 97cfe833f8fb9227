package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// What the public reads say of how long they may be kept. A browser asks each time, which its ETag makes cheap. The edge and the gateway
// keep an answer for long, because a change purges it by its tags; for a while more while they fetch the next one, or none can be had.
// That there is no such product is kept for less: such names are many.
const (
	browserCaching = "public, max-age=0, must-revalidate"
	edgeCaching    = "max-age=3600, stale-while-revalidate=30, stale-if-error=86400"
	absenceCaching = "max-age=60, stale-while-revalidate=0, stale-if-error=0"
	longestKept    = time.Hour
)

// cachingUntil is edgeCaching for an answer whose prices hold until a moment; nil when they hold until somebody changes them, which purges
// the answer. Nothing tells when that moment comes, so nobody shows the answer beyond it, unless there is no other.
func cachingUntil(until *time.Time, now time.Time) string {
	if until == nil || until.Sub(now) > longestKept {
		return edgeCaching
	}
	return fmt.Sprintf("max-age=%d, stale-while-revalidate=0, stale-if-error=86400", int(until.Sub(now)/time.Second))
}

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
func represent[T any](value T, ifNoneMatch, caching string, tags []string) (*cached[T], error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // descriptions are HTML, and escapes would make them a third longer
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	answer := &cached[T]{
		Status: http.StatusOK, ETag: httpx.ETag(fmt.Sprintf("%016x", xxhash.Sum64(body.Bytes()))),
		CacheControl: browserCaching, CDNCacheControl: caching, CacheTag: strings.Join(tags, ","),
		Body: document[T]{body.Bytes()},
	}
	if ifNoneMatch != "" && httpx.Matches(ifNoneMatch, answer.ETag) {
		answer.Status = http.StatusNotModified
	}
	return answer, nil
}

// keepAbsence lets the edge keep a 404 too, so that a wrong link costs the origin no more than a right one; until there is such a product
// or category.
func keepAbsence(ctx huma.Context, next func(huma.Context)) {
	next(ctx)
	if ctx.Status() != http.StatusNotFound {
		return
	}
	tag := contract.CategoryListTag(ctx.Query("category"))
	if id := ctx.Param("id"); id != "" {
		tag = contract.AbsentTag(id)
	}
	ctx.SetHeader("Cache-Control", browserCaching)
	if tagForm.MatchString(tag) {
		ctx.SetHeader("CDN-Cache-Control", absenceCaching)
		ctx.SetHeader("Cache-Tag", tag)
	}
}

// tagForm is what a tag may look like. What is absent was named by whoever asked, and goes into a header.
var tagForm = regexp.MustCompile(`^[A-Za-z0-9:_-]{1,300}$`)
