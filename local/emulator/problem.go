package emulator

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/valyala/fasthttp"
)

// problemBase is that of the services' problem documents, so that a shopper's program sees one kind.
const problemBase = "https://meridian.store/problems/"

type problem struct {
	status              int
	code, title, detail string
}

// writeProblem answers with an RFC 9457 problem document.
func writeProblem(ctx *fasthttp.RequestCtx, p problem) {
	document, err := json.Marshal(struct {
		Type    string `json:"type"`
		Title   string `json:"title"`
		Status  int    `json:"status"`
		Detail  string `json:"detail,omitempty"`
		TraceID string `json:"trace_id"`
	}{problemBase + p.code, p.title, p.status, p.detail, traceID(ctx)})
	if err != nil {
		// Strings and a number always marshal; a bare status is still a true answer.
		ctx.SetStatusCode(p.status)
		return
	}
	echoTrace(ctx)
	ctx.SetStatusCode(p.status)
	ctx.Response.Header.SetContentType("application/problem+json")
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.Response.SetBodyRaw(document)
}

// writeEmbargo tells a shopper of a country that no region serves so (RFC 7725).
func writeEmbargo(ctx *fasthttp.RequestCtx, country string) {
	writeProblem(ctx, problem{status: http.StatusUnavailableForLegalReasons, code: "not-served", title: "Not served in this country",
		detail: "This shop may not serve " + country + "."})
	ctx.Response.Header.Set("Link", `<https://meridian.store>; rel="blocked-by"`)
}

// refuseMalformed answers what could not be read as a request.
func refuseMalformed(ctx *fasthttp.RequestCtx, err error) {
	p := problem{status: http.StatusBadRequest, code: "invalid", title: "The request is not valid", detail: "It is not well-formed HTTP."}
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	switch {
	case errors.As(err, &small):
		p = problem{status: http.StatusRequestHeaderFieldsTooLarge, code: "too-large", title: "The request is too large",
			detail: fmt.Sprintf("Its line and headers exceed %d bytes.", maxHeaderBytes)}
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		p = problem{status: http.StatusRequestEntityTooLarge, code: "too-large", title: "The request is too large"}
	case errors.As(err, &network) && network.Timeout():
		p = problem{status: http.StatusRequestTimeout, code: "invalid", title: "The request took too long to arrive"}
	}
	ctx.Response.Reset()
	ctx.SetConnectionClose()
	writeProblem(ctx, p)
}

// echoTrace returns the caller's traceparent on answers that no origin gave to this request.
func echoTrace(ctx *fasthttp.RequestCtx) {
	if parent := ctx.Request.Header.Peek("Traceparent"); parentTrace(string(parent)) != "" {
		ctx.Response.Header.SetBytesV("Traceparent", parent)
	}
}

func traceID(ctx *fasthttp.RequestCtx) string {
	if id := parentTrace(string(ctx.Request.Header.Peek("Traceparent"))); id != "" {
		return id
	}
	var id [16]byte
	rand.Read(id[:]) // never fails; the program ends instead
	return hex.EncodeToString(id[:])
}

// parentTrace gives the trace id of a version 00 traceparent (W3C Trace Context), empty when it
// is not one.
func parentTrace(parent string) string {
	fields := strings.Split(parent, "-")
	if len(parent) != 55 || len(fields) != 4 || fields[0] != "00" || len(fields[1]) != 32 || len(fields[2]) != 16 {
		return ""
	}
	for _, field := range fields {
		if strings.Trim(field, "0123456789abcdef") != "" {
			return ""
		}
	}
	return fields[1]
}

// quietLogger takes what fasthttp says about single connections, which anyone can provoke.
type quietLogger struct{ log *slog.Logger }

func (l quietLogger) Printf(format string, args ...any) {
	l.log.Debug("The edge's HTTP server has something to say.", "message", fmt.Sprintf(format, args...))
}
