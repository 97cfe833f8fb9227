package emulator

import (
	"bytes"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// Names are in fasthttp's spelling: each word of a header begins with a capital.
var (
	// hopByHop belong to one connection (RFC 9110 section 7.6.1, and what older software adds).
	hopByHop = []string{
		"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade",
	}
	// edgesOwn are what only the edge may say to an origin, and what servers are known to believe
	// although no cache key holds it.
	edgesOwn = []string{
		"Cdn-Loop", "Expect", "Forwarded", "Host", "Content-Length", "True-Client-Ip", "Via",
		"X-Host", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Url",
		"X-Real-Ip", "X-Rewrite-Url", "X-Client-Ip", "X-Cluster-Client-Ip",
	}
	edgesOwnPrefixes = []string{"Cf-", "X-Edge-", "X-Forwarded-", "X-Original-", "X-Meridian-"}
	// oneRequest are response headers that are about one request: never kept, never shown again.
	oneRequest = []string{
		"Age", "Retry-After", "Server-Timing", "Traceparent", "Tracestate", "X-Request-Id", "X-Trace-Id",
	}
	oneRequestPrefixes = []string{"Ratelimit", "X-Ratelimit-"}
	// edgesSay are response headers that the edge writes itself or keeps to itself.
	edgesSay = []string{"Cache-Tag", "Cdn-Cache-Control", "Content-Length", "Date", "Server", headerCache, headerLocation}
)

// copyRequestHeaders copies what a shopper may say to an origin.
func copyRequestHeaders(to, from *fasthttp.RequestHeader) {
	listed := connectionOptions(from.Peek("Connection"))
	for key, value := range from.All() {
		name := string(key)
		if slices.Contains(hopByHop, name) || slices.Contains(edgesOwn, name) || slices.Contains(listed, strings.ToLower(name)) {
			continue
		}
		if hasAnyPrefix(name, edgesOwnPrefixes) {
			continue
		}
		// Servers that turn hyphens into underscores would take X_Forwarded_For for the real one.
		if strings.IndexByte(name, '_') >= 0 {
			continue
		}
		to.AddBytesKV(key, value)
	}
}

// introduce adds what the edge says about the shopper, in the words of Cloudflare.
func (e *Edge) introduce(to *fasthttp.RequestHeader, s shopper, ip string) {
	to.Set("CF-IPCountry", s.country)
	to.Set("cf-iplatitude", s.latitude)
	to.Set("cf-iplongitude", s.longitude)
	to.Set(headerLocation, s.IATA)
	to.Set("X-Forwarded-For", ip)
	if e.cfg.OriginSecret != "" {
		to.Set(headerAuth, e.cfg.OriginSecret)
	}
}

// copyResponseHeaders copies what an origin may say to a browser.
func copyResponseHeaders(to, from *fasthttp.ResponseHeader) {
	for key, value := range relayed(from) {
		to.Add(key, value)
	}
}

// relayed gives an origin's response headers without those of one connection and the edge's own.
func relayed(from *fasthttp.ResponseHeader) func(yield func(name, value string) bool) {
	listed := connectionOptions(from.Peek("Connection"))
	return func(yield func(name, value string) bool) {
		for key, value := range from.All() {
			name := string(key)
			if slices.Contains(hopByHop, name) || slices.Contains(edgesSay, name) || slices.Contains(listed, strings.ToLower(name)) {
				continue
			}
			if !yield(name, string(value)) {
				return
			}
		}
	}
}

// aboutOneRequest tells a response header that a kept answer must not carry to other requests.
func aboutOneRequest(name string) bool {
	return slices.Contains(oneRequest, name) || hasAnyPrefix(name, oneRequestPrefixes)
}

func hasAnyPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// connectionOptions gives the lower-case names of the headers that Connection declares to be
// about this connection only.
func connectionOptions(value []byte) []string {
	if len(value) == 0 {
		return nil
	}
	var options []string
	for option := range strings.SplitSeq(strings.ToLower(string(value)), ",") {
		if option = strings.TrimSpace(option); option != "" && option != "close" && option != "keep-alive" {
			options = append(options, option)
		}
	}
	return options
}

// joined gives a header that may come in several lines as the one list it means.
func joined(lines [][]byte) string {
	if len(lines) == 1 {
		return string(lines[0])
	}
	return string(bytes.Join(lines, []byte(", ")))
}
