package emulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/edge/rule"
)

// entry is one origin's answer as the edge keeps it. It never changes once made.
type entry struct {
	status  int
	headers [][2]string
	etag    string
	body    []byte
	made    time.Time // when the origin made it, at the latest
	fresh   time.Time // until when it may be shown; not after made for what may not be kept
	stale   time.Time // until when it may be shown while no origin answers
}

func (e *entry) keepable() bool { return e.fresh.After(e.made) }

// newEntry takes an answer over, its body included. The time asked is when the request went out:
// counting from then, no copy is shown for longer than its lifetime after a change at the origin.
func newEntry(response *fasthttp.Response, settings *rule.Cache, asked time.Time) *entry {
	h := &response.Header
	made := asked.Add(-seconds(string(h.Peek("Age"))))
	e := &entry{status: response.StatusCode(), etag: string(h.Peek("Etag")), made: made, fresh: made, stale: made}
	keep := min(keepFor(response, settings), settings.EdgeTTLMax)
	if keep > 0 {
		e.fresh = made.Add(keep)
		e.stale = e.fresh.Add(settings.StaleIfError)
	}
	for name, value := range relayed(h) {
		switch {
		case keep > 0 && aboutOneRequest(name):
		case name == settings.TagsHeader:
		case name == "Cache-Control" && keep > 0:
			e.headers = append(e.headers, [2]string{name, forBrowser(value, settings.BrowserTTL)})
		default:
			e.headers = append(e.headers, [2]string{name, value})
		}
	}
	e.body = response.SwapBody(nil)
	return e
}

// keepFor gives how long an answer may be kept, zero for not at all.
func keepFor(response *fasthttp.Response, settings *rule.Cache) time.Duration {
	h := &response.Header
	keep, explicit := lifetime(joined(h.PeekAll("Cdn-Cache-Control")), joined(h.PeekAll("Cache-Control")))
	status := response.StatusCode()
	switch {
	case status != http.StatusOK && !(status == http.StatusNotFound && explicit):
		return 0
	case len(h.Peek("Set-Cookie")) > 0:
		return 0
	// Nothing was asked to be encoded, so not every browser could read it.
	case len(h.Peek("Content-Encoding")) > 0:
		return 0
	case variesByShopper(joined(h.PeekAll("Vary")), settings.ForwardHeaders):
		return 0
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

// write answers a request from the entry: in whole, without a body for HEAD, or with 304 when the
// browser has it already.
func (e *entry) write(ctx *fasthttp.RequestCtx, now time.Time) {
	h := &ctx.Response.Header
	for _, pair := range e.headers {
		h.Add(pair[0], pair[1])
	}
	if age := now.Sub(e.made); e.keepable() {
		h.Set("Age", strconv.Itoa(int(max(age, 0)/time.Second)))
		echoTrace(ctx)
	}
	if e.status == http.StatusOK && e.etag != "" && etagMatches(joined(ctx.Request.Header.PeekAll("If-None-Match")), e.etag) {
		ctx.SetStatusCode(http.StatusNotModified)
		return
	}
	ctx.SetStatusCode(e.status)
	ctx.Response.SetBodyRaw(e.body)
}
