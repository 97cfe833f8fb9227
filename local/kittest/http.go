package kittest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/meridian-store/meridian/kit/discovery"
	"github.com/meridian-store/meridian/kit/httpclient"
)

// Do sends a request with a JSON body (nil for none; []byte as it is) and reads a 2xx answer into out when out is not nil. The
// answer's body can still be read by the caller.
func (s *Service) Do(t testing.TB, method, path string, in, out any, headers ...map[string]string) *http.Response {
	t.Helper()
	response, err := send(t, method, s.URL+path, in, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	body, err := io.ReadAll(response.Body)
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	if out != nil && response.StatusCode < 300 {
		if err := json.Unmarshal(body, out); err != nil {
			t.Fatalf("%s %s: read %s: %v", method, path, body, err)
		}
	}
	return response
}

func send(t testing.TB, method, url string, in any, headers ...map[string]string) (*http.Response, error) {
	t.Helper()
	body, raw := in.([]byte)
	if in != nil && !raw {
		var err error
		if body, err = json.Marshal(in); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, set := range headers {
		for name, value := range set {
			request.Header.Set(name, value)
		}
	}
	return httpclient.Default.Do(request)
}

// Neighbour lets the test play another service: handler answers what the service under test asks of it.
func (s *Service) Neighbour(t testing.TB, name string, handler http.Handler) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.Handle("/", handler)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	consul := s.discover(t)
	instance := discovery.Instance{Service: name, Host: host, Port: number}
	// A loaded machine's Consul may miss the deadline that a call to it has.
	Eventually(t, func() error { return consul.Register(t.Context(), instance) })
	t.Cleanup(func() {
		// The name is this test's own, and Consul forgets it by itself once its server is closed.
		if err := consul.Deregister(t.Context(), instance); err != nil {
			t.Logf("deregister the neighbour %s: %v", name, err)
		}
	})
	Eventually(t, func() error {
		if len(consul.Instances(name)) == 0 {
			return fmt.Errorf("the neighbour %s is not healthy", name)
		}
		return nil
	})
}
