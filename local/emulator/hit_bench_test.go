package emulator_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/kit/httpclient"
)

// BenchmarkHit measures a cache hit over a loopback connection, and in the same run a bare
// fasthttp handler that sends the same bytes. The metric hit/bare is how many times longer a hit
// takes: 1 means that the edge costs nothing.
func BenchmarkHit(b *testing.B) {
	body := []byte(strings.Repeat(`{"id":"prd_use_01ARZ3NDEKTSV4RRFFQ69G5FAV","title":"Blue shirt"},`, 60))
	w := start(b, []*gateway{newGateway(b, "us-east", ashburn, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("CDN-Cache-Control", "max-age=2")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"v1"`)
		fmt.Fprintf(w, "%s", body)
	})})
	bare := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		ctx.Response.SetBodyRaw(body)
	}, CloseOnShutdown: true}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- bare.Serve(listener) }()
	defer func() {
		if err := bare.Shutdown(); err != nil {
			b.Error(err)
		}
		if err := <-served; err != nil {
			b.Error(err)
		}
	}()

	edge := newCaller(b, w.edge.Addr())
	plain := newCaller(b, listener.Addr().String())
	edge.call(b)
	var atEdge, atBare time.Duration
	for b.Loop() {
		began := time.Now()
		edge.call(b)
		between := time.Now()
		plain.call(b)
		atEdge += between.Sub(began)
		atBare += time.Since(between)
	}
	if got := string(edge.response.Header.Peek("X-Cache")); got != "HIT" {
		b.Fatalf("measured a %s", got)
	}
	b.ReportMetric(float64(atEdge)/float64(b.N), "hit-ns/op")
	b.ReportMetric(float64(atBare)/float64(b.N), "bare-ns/op")
	b.ReportMetric(float64(atEdge)/float64(atBare), "hit/bare")
	edge.client.CloseIdleConnections()
	plain.client.CloseIdleConnections()
}

type caller struct {
	client   *fasthttp.HostClient
	request  fasthttp.Request
	response fasthttp.Response
}

func newCaller(b *testing.B, address string) *caller {
	b.Helper()
	c := &caller{client: httpclient.NewHost(httpclient.HostOptions{Address: address})}
	c.request.SetRequestURI("http://" + address + "/api/v1/products?limit=20")
	return c
}

func (c *caller) call(b *testing.B) {
	if err := c.client.Do(&c.request, &c.response); err != nil {
		b.Fatal(err)
	}
}
