package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/emulator"
)

func TestStopDrainsRunningRequests(t *testing.T) {
	t.Parallel()
	g := newGate()
	defer g.open()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, _ *http.Request) {
		g.pass()
		fmt.Fprint(w, "paid")
	})})
	answered := make(chan string, 1)
	go func() {
		got, err := w.try(http.MethodPost, "/api/v1/checkout", "{}")
		if err != nil {
			answered <- err.Error()
			return
		}
		answered <- got.body
	}()
	g.awaitReached(t)
	address := w.edge.Addr()
	stopped := make(chan error, 1)
	go func() { stopped <- w.edge.Stop(context.Background()) }()
	await(t, "new connections are refused", func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return true
		}
		conn.Close()
		return false
	})
	select {
	case err := <-stopped:
		t.Fatalf("Stop did not wait for the running request: %v", err)
	default:
	}
	g.open()
	if got := <-answered; got != "paid" {
		t.Errorf("the running request got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	g := newGate()
	defer g.open()
	cfg := config(t, []*gateway{newGateway(t, "us-east", ashburn, func(http.ResponseWriter, *http.Request) { g.pass() })})
	edge, err := emulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := edge.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, "the edge is ready", edge.Ready)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// The request is only there to keep the edge busy: it may be answered or cut off.
		url := "http://" + edge.Addr() + "/api/v1/checkout"
		request := httpclient.Request{Method: http.MethodPost, URL: url, Body: map[string]string{}}
		_, _ = request.Send(context.Background())
	}()
	g.awaitReached(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	first := edge.Stop(ctx)
	if first == nil {
		t.Fatal("Stop said that all requests had ended")
	}
	if again := edge.Stop(context.Background()); again == nil || again.Error() != first.Error() {
		t.Errorf("the second Stop gave %v, the first %v", again, first)
	}
	g.open()
	<-ended
	httpclient.Default.CloseIdleConnections()
}

func TestLifecycleIsStrictAboutStartAndKindAboutStop(t *testing.T) {
	t.Parallel()
	cfg := config(t, threeGateways(t, product))
	edge, err := emulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if edge.Addr() != "" || edge.AdminAddr() != "" {
		t.Error("there are addresses before the start")
	}
	for range 2 {
		if err := edge.Stop(t.Context()); err != nil {
			t.Errorf("stop without a start: %v", err)
		}
	}
	if err := edge.Start(t.Context()); !errors.Is(err, emulator.ErrUsed) {
		t.Errorf("start of a stopped edge: got %v", err)
	}
	cfg.Registry = nil
	if edge, err = emulator.New(cfg); err != nil {
		t.Fatal(err)
	}
	if err := edge.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := edge.Start(t.Context()); !errors.Is(err, emulator.ErrUsed) {
		t.Errorf("second start of an edge: got %v", err)
	}
	taken := cfg
	taken.Listen = edge.Addr()
	other, err := emulator.New(taken)
	if err != nil {
		t.Fatal(err)
	}
	err = other.Start(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), taken.Listen) {
		t.Errorf("a taken address gave %v", err)
	}
	if err := other.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := edge.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStartAndStopUnderStress(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	for range 20 {
		edge, err := emulator.New(config(t, gateways))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		for range 4 {
			all.Go(func() {
				// One start may win, or every stop may come before it: no outcome may hang or leak.
				if err := edge.Start(ctx); err != nil && !errors.Is(err, emulator.ErrUsed) {
					t.Error(err)
				}
			})
			all.Go(func() {
				if err := edge.Stop(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if err := edge.Stop(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	}
}

func TestStopClosesIdleConnections(t *testing.T) {
	t.Parallel()
	w := start(t, threeGateways(t, product))
	if got := w.get("/api/v1/products"); got.StatusCode != http.StatusOK {
		t.Fatalf("got %d", got.StatusCode)
	}
	// The client keeps its connection; Stop must not wait a minute for it.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.edge.Stop(ctx); err != nil {
		t.Error(err)
	}
}
