package link_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/link"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}

// far is a link to a server of the test.
type far struct {
	control link.Control
	link    link.Link
	client  *http.Client
}

func open(t *testing.T, start link.Condition) far {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := io.WriteString(w, "far"); err != nil {
			t.Error(err)
		}
	}))
	base := enginetest.Ports(t, 2)
	f := far{
		control: link.Control{API: fmt.Sprintf("127.0.0.1:%d", base)},
		link:    link.Link{From: "here", To: "there", Plane: link.PlaneGateway, Listen: fmt.Sprintf("127.0.0.1:%d", base+1), Upstream: server.Listener.Addr().String()},
		client:  httpclient.New(httpclient.Options{}),
	}
	ctx, cancel := context.WithCancel(t.Context())
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- link.Run(ctx, link.Config{
			API: f.control.API, Links: []link.Link{f.link}, Log: slog.New(slog.DiscardHandler),
			Condition: func(string) link.Condition { return start }, Started: func() { close(started) },
		})
	}()
	t.Cleanup(func() {
		f.client.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the links ended: %v", err)
		}
		server.Close()
	})
	select {
	case <-started:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return f
}

// ask sends one request over the link.
func (f far) ask(ctx context.Context, timeout time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.link.Listen, nil)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	response, err := f.client.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.ReadAll(response.Body)
	return time.Since(begun), errors.Join(err, response.Body.Close())
}

const patient = 30 * time.Second

func (f far) apply(t *testing.T, wanted link.Condition) {
	t.Helper()
	for range 2 { // twice is fine
		if err := f.control.Apply(t.Context(), f.link.Name(), wanted); err != nil {
			t.Fatal(err)
		}
	}
	now, err := f.control.Conditions(t.Context())
	if err != nil || now[f.link.Name()] != wanted {
		t.Fatalf("the link is %+v, want %+v (%v)", now, wanted, err)
	}
}

// under waits until a request takes less than a time: on a busy machine one may take long for no fault of the link.
func (f far) under(t *testing.T, limit time.Duration) {
	t.Helper()
	deadline := time.Now().Add(patient)
	for {
		took, err := f.ask(t.Context(), patient)
		if err == nil && took < limit {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a request takes %s (%v)", took, err)
		}
	}
}

func TestALinkIsDelayedCutAndHealed(t *testing.T) {
	t.Parallel()
	f := open(t, link.Condition{})
	f.under(t, 300*time.Millisecond)
	f.apply(t, link.Condition{RoundTripMS: 301})
	if took, err := f.ask(t.Context(), patient); err != nil || took < 301*time.Millisecond {
		t.Errorf("a delayed request took %s (%v)", took, err)
	}
	f.apply(t, link.Condition{RoundTripMS: 301, Cut: true})
	if _, err := f.ask(t.Context(), 700*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a cut link is silent, not %v", err)
	}
	f.apply(t, link.Condition{RoundTripMS: 301})
	if took, err := f.ask(t.Context(), patient); err != nil || took < 301*time.Millisecond {
		t.Errorf("a healed link took %s (%v): it keeps its delay", took, err)
	}
	f.apply(t, link.Condition{RoundTripMS: 101})
	if took, err := f.ask(t.Context(), patient); err != nil || took < 101*time.Millisecond {
		t.Errorf("with a shorter delay it took %s (%v)", took, err)
	}
	f.under(t, 300*time.Millisecond)
	f.apply(t, link.Condition{})
	f.under(t, 100*time.Millisecond)
}

func TestALinkStartsWithItsCondition(t *testing.T) {
	t.Parallel()
	f := open(t, link.Condition{Cut: true})
	if _, err := f.ask(t.Context(), 500*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a link that starts cut lets through: %v", err)
	}
	f.apply(t, link.Condition{})
	if _, err := f.ask(t.Context(), patient); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	f := open(t, link.Condition{})
	if err := f.control.Apply(t.Context(), "no=where", link.Condition{Cut: true}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("an unknown link: %v", err)
	}
	silent := link.Control{API: "127.0.0.1:1"}
	if _, err := silent.Conditions(t.Context()); err == nil {
		t.Error("links that do not run answered")
	}
	err := link.Run(t.Context(), link.Config{API: f.control.API, Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), f.control.API) {
		t.Errorf("a taken port: %v", err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+f.control.API+"/proxies", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", "Mozilla/5.0")
	response, err := f.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("a browser gets %d (%v)", response.StatusCode, err)
	}
}
