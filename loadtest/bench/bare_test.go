package main

import (
	"testing"

	"github.com/valyala/fasthttp"
)

// A baseline is only fair when it sends what the shop sends.
func TestTheBareServerSendsTheShopsAnswer(t *testing.T) {
	t.Parallel()
	var shop fasthttp.Response
	shop.Header.Set("Content-Type", "application/json")
	shop.Header.Set("Etag", `"v1"`)
	shop.Header.Set("Date", "Mon, 23 Nov 2026 07:00:00 GMT")
	shop.SetBodyString(`{"items":[]}`)
	kept := replyOf(&shop)
	shop.SetBodyString("reused memory")

	var c fasthttp.RequestCtx
	handler := bareHandler(t.Context(), baseline{Answers: map[string][]reply{bareList: {kept}}}, nil)
	c.Request.SetRequestURI(bareList)
	handler(&c)
	if string(c.Response.Body()) != `{"items":[]}` || string(c.Response.Header.ContentType()) != "application/json" || string(c.Response.Header.Peek("Etag")) != `"v1"` {
		t.Errorf("the bare server sends %s", c.Response.String())
	}
	if len(c.Response.Header.Peek("Date")) > 0 {
		t.Error("the bare server repeats the shop's date")
	}
	c.Request.SetRequestURI("/elsewhere")
	c.Response.Reset()
	handler(&c)
	if c.Response.StatusCode() != fasthttp.StatusNotFound {
		t.Errorf("an unknown path is answered %d", c.Response.StatusCode())
	}
}
