package httpclient_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/kit/httpclient"
)

// silent returns the address of a server that accepts connections and never responds.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String() // the kernel accepts; nothing reads
}

func TestNew_EndsAtTimeout(t *testing.T) {
	t.Parallel()
	client := httpclient.New(httpclient.Options{Timeout: 50 * time.Millisecond})
	_, err := httpclient.Request{Client: client, URL: "http://" + silent(t)}.Send(t.Context())
	if !os.IsTimeout(err) {
		t.Errorf("got %v, want a timeout", err)
	}
}

func TestNew_HasTimeoutByDefault(t *testing.T) {
	t.Parallel()
	if got := httpclient.New(httpclient.Options{}).Timeout; got != httpclient.DefaultTimeout {
		t.Errorf("got %s, want %s", got, httpclient.DefaultTimeout)
	}
	if got := httpclient.Default.Timeout; got != httpclient.DefaultTimeout {
		t.Errorf("Default: got %s, want %s", got, httpclient.DefaultTimeout)
	}
	if got := httpclient.New(httpclient.Options{Timeout: httpclient.CallerDeadline}).Timeout; got != 0 {
		t.Errorf("CallerDeadline: got %s, want none", got)
	}
}

func TestNewHost_EndsAtTimeout(t *testing.T) {
	t.Parallel()
	address := silent(t)
	client := httpclient.NewHost(httpclient.HostOptions{Address: address, Timeout: 50 * time.Millisecond})
	status, _, err := client.Get(nil, "http://"+address)
	if !errors.Is(err, fasthttp.ErrTimeout) {
		t.Errorf("got %d, %v, want a timeout", status, err)
	}
}

func TestNewHost_HasTimeoutByDefault(t *testing.T) {
	t.Parallel()
	client := httpclient.NewHost(httpclient.HostOptions{Address: "127.0.0.1:1"})
	if client.ReadTimeout != httpclient.DefaultTimeout || client.WriteTimeout != httpclient.DefaultTimeout {
		t.Errorf("got %s and %s, want %s", client.ReadTimeout, client.WriteTimeout, httpclient.DefaultTimeout)
	}
	client = httpclient.NewHost(httpclient.HostOptions{Timeout: httpclient.CallerDeadline})
	if client.ReadTimeout != 0 || client.WriteTimeout != 0 {
		t.Errorf("CallerDeadline: got %s and %s, want none", client.ReadTimeout, client.WriteTimeout)
	}
}

func TestClients_ConnectFromLocalIP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			t.Error(err)
		}
		if _, err := io.WriteString(w, host); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	const want = "127.0.0.9"
	client := httpclient.New(httpclient.Options{LocalIP: net.ParseIP(want)})
	got, err := httpclient.Request{Client: client, URL: server.URL}.Send(t.Context())
	if err != nil || string(got.Body) != want {
		t.Errorf("net/http: got %q, %v, want %s", got.Body, err, want)
	}
	address := server.Listener.Addr().String()
	host := httpclient.NewHost(httpclient.HostOptions{Address: address, LocalIP: net.ParseIP(want)})
	_, body, err := host.Get(nil, server.URL)
	if err != nil || string(body) != want {
		t.Errorf("fasthttp: got %q, %v, want %s", body, err, want)
	}
}

func TestRequest_DecodesJSON(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Test") != "yes" {
			t.Errorf("got headers %v", r.Header)
		}
		if isJSON := r.Header.Get("Content-Type") == "application/json"; isJSON != (r.URL.Path == "/") {
			t.Errorf("%s: got headers %v", r.URL.Path, r.Header)
		}
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusConflict)
		}
		if _, err := io.Copy(w, r.Body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	header := map[string]string{"X-Test": "yes"}
	body := map[string]int{"n": 7}
	request := httpclient.Request{Method: http.MethodPost, URL: server.URL, Header: header, Body: body}
	var out struct{ N int }
	if err := request.Decode(t.Context(), &out); err != nil || out.N != 7 {
		t.Errorf("got %+v, %v", out, err)
	}
	request.URL, request.Body = server.URL+"/refused", []byte(`{"raw":true}`)
	err := request.Decode(t.Context(), &out)
	var status *httpclient.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusConflict || string(status.Body) != `{"raw":true}` {
		t.Errorf("got %v, want status 409 with the body", err)
	}
}
