package emulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/edge/rule"
)

// entry is one origin's answer as the edge keeps it. Once made, nothing about it changes but which of its variants are there.
type entry struct {
	status   int
	headers  [][2]string
	etag     string
	tags     []string  // in lower case, by which it is purged
	made     time.Time // when the origin made it, at the latest
	fresh    time.Time // until when it may be shown; not after made for what may not be kept
	renewing time.Time // until when it may be shown while the next one is fetched
	stale    time.Time // until when it may be shown while no origin has an answer

	*content
	packable   bool // worth compressing
	refreshing atomic.Bool
}

// Tags, Weight and Keep are what the cache asks (tagcache.Entry). Freshness is judged at each read; Keep only frees what can no longer be
// shown at all.
func (e *entry) Tags() []string { return e.tags }

// Weight grows with the variants that are made.
func (e *entry) Weight() int {
	size := len(e.etag) + cap(e.body) + e.bytes()
	for _, pair := range e.headers {
		size += len(pair[0]) + len(pair[1])
	}
	return size
}

// Keep counts from when the origin made the answer.
func (e *entry) Keep() time.Duration { return e.stale.Sub(e.made) }

func (e *entry) keepable() bool { return e.fresh.After(e.made) }

// newEntry takes an answer over, its body included. The time asked is when the request went out:
// counting from then, no copy is shown for longer than its lifetime after a change at the origin.
func newEntry(response *fasthttp.Response, settings *rule.Cache, asked time.Time, shared *contents) *entry {
	h := &response.Header
	made := asked.Add(-seconds(string(h.Peek("Age"))))
	e := &entry{status: response.StatusCode(), etag: string(h.Peek("Etag"))}
	keep := e.live(response, settings, made)
	e.tags = tagsOf(joined(h.PeekAll(settings.TagsHeader)))
	for name, value := range relayed(h) {
		switch {
		case keep > 0 && aboutOneRequest(name):
		case name == settings.TagsHeader:
		// No cookie reaches the origin here, so what it sets would replace the one that the shopper has.
		case name == "Set-Cookie":
		case name == "Cache-Control" && keep > 0:
			e.headers = append(e.headers, [2]string{name, forBrowser(value, settings.BrowserTTL)})
		default:
			e.headers = append(e.headers, [2]string{name, value})
		}
	}
	e.content = shared.of(response.SwapBody(nil))
	if e.packable = keep > 0 && compressible(string(h.ContentType()), e.body); e.packable {
		e.headers = append(e.headers, [2]string{"Vary", "Accept-Encoding"})
	}
	return e
}

// live sets how long the entry may be shown, counted from when it was made, and gives its lifetime: zero when it may not be kept.
func (e *entry) live(response *fasthttp.Response, settings *rule.Cache, made time.Time) time.Duration {
	e.made, e.fresh, e.renewing, e.stale = made, made, made, made
	may := keepFor(response, settings)
	if may.lifetime = min(may.lifetime, settings.EdgeTTLMax); may.lifetime <= seconds(string(response.Header.Peek("Age"))) {
		may.lifetime = 0 // too old when it came
	}
	if may.lifetime > 0 {
		e.fresh = made.Add(may.lifetime)
		e.renewing = e.fresh.Add(may.whileRevalidating.within(settings.StaleWhileRevalidate))
		e.stale = e.fresh.Add(may.ifError.within(settings.StaleIfError))
	}
	return may.lifetime
}

// renewed is the entry after the origin has said that it still holds (RFC 9111 section 4.3.4).
func (e *entry) renewed(response *fasthttp.Response, settings *rule.Cache, asked time.Time) *entry {
	again := &entry{
		status: e.status, headers: e.headers, etag: e.etag, tags: e.tags, content: e.content, packable: e.packable,
	}
	response.SetStatusCode(e.status)
	again.live(response, settings, asked.Add(-seconds(string(response.Header.Peek("Age")))))
	if tags := tagsOf(joined(response.Header.PeekAll(settings.TagsHeader))); len(tags) > 0 {
		again.tags = tags
	}
	return again
}

// tagsOf reads the tags of an answer, in lower case: the case of a tag does not matter.
func tagsOf(header string) []string {
	var tags []string
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// keepFor gives how long an answer may be kept, a lifetime of zero for not at all.
func keepFor(response *fasthttp.Response, settings *rule.Cache) permission {
	h := &response.Header
	keep, explicit := lifetime(joined(h.PeekAll("Cdn-Cache-Control")), joined(h.PeekAll("Cache-Control")))
	status := response.StatusCode()
	switch {
	case status != http.StatusOK && !(status == http.StatusNotFound && explicit):
		return permission{}
	case len(h.Peek("Set-Cookie")) > 0:
		return permission{}
	// Nothing was asked to be encoded, so not every browser could read it.
	case len(h.Peek("Content-Encoding")) > 0:
		return permission{}
	case variesByShopper(joined(h.PeekAll("Vary")), settings.ForwardHeaders):
		return permission{}
	}
	return keep
}

// variesByShopper reports whether an answer depends on something that differs between two
// requests of one key. The origin does not see most headers on these paths, so it cannot have
// varied by them; that it says it looked for a shopper's secret is reason enough to keep nothing.
func variesByShopper(vary string, forwarded []string) bool {
	for name := range strings.SplitSeq(vary, ",") {
		name = strings.TrimSpace(name)
		if name == "*" || strings.EqualFold(name, "Cookie") || strings.EqualFold(name, "Authorization") || strings.EqualFold(name, "X-Forwarded-For") {
			return true
		}
		if slices.ContainsFunc(forwarded, func(f string) bool { return strings.EqualFold(f, name) }) {
			return true
		}
	}
	return false
}

// forBrowser replaces the origin's word to browsers, except that what they may not store stays so.
func forBrowser(cacheControl string, ttl time.Duration) string {
	if d, ok := parseDirectives(cacheControl); !ok || d.noStore {
		return cacheControl
	}
	return "public, max-age=" + strconv.Itoa(int(ttl/time.Second)) + ", must-revalidate"
}

// write answers a request from the entry: in whole, compressed as the browser likes it, in part when it asks for a part, without a
// body for HEAD, or with 304 when the browser has it already. It tells whether the entry has grown by a variant.
func (e *entry) write(ctx *fasthttp.RequestCtx, now time.Time) (grown bool) {
	h := &ctx.Response.Header
	for _, pair := range e.headers {
		h.Add(pair[0], pair[1])
	}
	if age := now.Sub(e.made); e.keepable() {
		h.Set("Age", strconv.Itoa(int(max(age, 0)/time.Second)))
		echoTrace(ctx)
	}
	in := identity
	if e.packable && len(ctx.Request.Header.Peek("Range")) == 0 {
		in = acceptedEncoding(joined(ctx.Request.Header.PeekAll("Accept-Encoding")))
	}
	if in != identity && e.etag != "" {
		// Other bytes than the origin's, though they mean the same.
		h.Set("Etag", weakened(e.etag))
	}
	if e.status == http.StatusOK && e.etag != "" && etagMatches(joined(ctx.Request.Header.PeekAll("If-None-Match")), e.etag) {
		ctx.SetStatusCode(http.StatusNotModified)
		return false
	}
	ctx.SetStatusCode(e.status)
	if in != identity {
		body, made := e.variant(in)
		h.Set("Content-Encoding", contentCodings[in])
		ctx.Response.SetBodyRaw(body)
		return made
	}
	if e.status == http.StatusOK && e.keepable() {
		h.Set("Accept-Ranges", "bytes")
		if cut(ctx, e.body, e.etag) {
			return false
		}
	}
	ctx.Response.SetBodyRaw(e.body)
	return false
}

func weakened(etag string) string {
	if strings.HasPrefix(etag, "W/") {
		return etag
	}
	return "W/" + etag
}
