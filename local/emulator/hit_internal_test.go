package emulator

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/geo"
)

// maxHitAllocations bounds what a hit leaves to the garbage collector: the canonical query, the key, and the numbers of headers.
const maxHitAllocations = 7

// It does not run beside other tests: the count is the whole process's.
func TestAHitAllocatesLittle(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("CDN-Cache-Control", "max-age=3600")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"v1"`)
		fmt.Fprint(w, `{"items":[]}`)
	}))
	defer origin.Close()
	rules, err := rule.Default()
	if err != nil {
		t.Fatal(err)
	}
	location, _ := geo.FindLocation("IAD")
	edge, err := New(Config{
		Listen: "127.0.0.1:0", Rules: rules, Log: slog.New(slog.DiscardHandler), ReadTimeout: time.Minute,
		Origins: []Origin{{Region: "us-east", Point: location.Point, URL: origin.URL}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := edge.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for _, o := range edge.ways() {
		o.setHealth(up, nil)
	}

	var ctx fasthttp.RequestCtx
	var request fasthttp.Request
	request.SetRequestURI("/api/v1/products?limit=20")
	request.Header.Set(headerLocation, "DUB")
	request.Header.Set("Accept-Encoding", "gzip, br")
	ctx.Init(&request, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, nil)
	serve := func() {
		ctx.Response.Reset()
		edge.serve(&ctx)
	}
	serve()
	allocations := testing.AllocsPerRun(1000, serve)
	if got := string(ctx.Response.Header.Peek(headerCache)); got != string(resultHit) {
		t.Fatalf("counted a %s", got)
	}
	if allocations > maxHitAllocations {
		t.Errorf("a hit allocates %v times, more than %d", allocations, maxHitAllocations)
	}
	t.Logf("a hit allocates %v times", allocations)
}
