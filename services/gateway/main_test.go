package gateway_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestMain(m *testing.M) { kittest.Main(m) }

// heard is what a neighbour was asked, as it tells in its answer.
type heard struct {
	Who    string      `json:"who"`
	Method string      `json:"method"`
	URI    string      `json:"uri"`
	Host   string      `json:"host"`
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
}

// echo is a neighbour that answers with what it heard.
func echo(t testing.TB, who string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s could not read its request: %v", who, err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Region", "the service's own")
		w.Header().Set("Traceparent", r.Header.Get("Traceparent"))
		w.Header().Set("Etag", `"1"`)
		if err := json.NewEncoder(w).Encode(heard{Who: who, Method: r.Method, URI: r.RequestURI, Host: r.Host, Header: r.Header, Body: string(body)}); err != nil {
			t.Errorf("%s could not answer: %v", who, err)
		}
	})
}

// problem reads a problem document and checks that it is one.
func problem(t testing.TB, response *http.Response, status int) httpx.Problem {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var found httpx.Problem
	if response.StatusCode != status || response.Header.Get("Content-Type") != httpx.ProblemContentType {
		t.Fatalf("status %d (%s), want a problem with %d: %s", response.StatusCode, response.Header.Get("Content-Type"), status, body)
	}
	if err := json.Unmarshal(body, &found); err != nil {
		t.Fatal(err)
	}
	if found.Status != status || found.TraceID == "" || response.Header.Get("X-Region") != "us-east" {
		t.Fatalf("the problem %s lacks its status, trace or region (%q)", body, response.Header.Get("X-Region"))
	}
	return found
}

func listen(t testing.TB) (listener net.Listener, port int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener, listener.Addr().(*net.TCPAddr).Port
}
