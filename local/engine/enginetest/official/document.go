// Package official holds what tests send to an engine, and what it or its stand-in answers, to the engine's own OpenAPI document.
package official

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/meridian-store/meridian/kit/httpclient"
)

// Document is an official OpenAPI document, and where it says less or other than its engine does.
type Document struct {
	// File is its name in shared/contracts beside a clone; Engine is whose it is.
	File, Engine string
	// BasePath is where its paths begin, at whatever address; empty for the root.
	BasePath string
	// Mend changes the document where it contradicts itself; nil for nothing.
	Mend func(*openapi3.T)
	// Lacks tells which requests the document does not know; nil for none.
	Lacks func(*http.Request) bool
	// Bodies tells which of a request's two bodies are not as the document has them; nil for none.
	Bodies func(*http.Request) (leaveSent, leaveAnswered bool)
	// ErrorField is what an error has to have whose status the document does not list; empty when all have to be listed.
	ErrorField string

	once   sync.Once
	router routers.Router
	err    error
}

// Client gives an HTTP client whose every request and answer is held to the document. Where it is absent, that is said and nothing is held.
func (d *Document) Client(t testing.TB) *http.Client {
	t.Helper()
	path := filepath.Join(root(t), "..", "shared/contracts", d.File)
	if _, err := os.Stat(path); err != nil {
		t.Logf("%s OpenAPI document is not there, so nothing is held to it: %v", d.Engine, err)
		return httpclient.Default
	}
	d.once.Do(func() { d.router, d.err = d.load(path) })
	if d.err != nil {
		t.Fatal(d.err)
	}
	return httpclient.New(httpclient.Options{Wrap: func(next http.RoundTripper) http.RoundTripper {
		return &held{t: t, document: d, next: next}
	}})
}

// root is the clone's folder: a test runs in its package's, somewhere below.
func root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		if folder == filepath.Dir(folder) {
			t.Fatal("no go.mod above the test's folder")
		}
		folder = filepath.Dir(folder)
	}
	t.Fatal(err)
	return ""
}

func (d *Document) load(path string) (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, err
	}
	doc.Servers = nil
	if d.BasePath != "" {
		doc.Servers = openapi3.Servers{{URL: d.BasePath}}
	}
	if d.Mend != nil {
		d.Mend(doc)
	}
	return gorillamux.NewRouter(doc)
}

type held struct {
	t        testing.TB
	document *Document
	next     http.RoundTripper
}

// RoundTrip sends a request on after it was held to the document, and gives the answer after that was.
func (h *held) RoundTrip(request *http.Request) (*http.Response, error) {
	if h.document.Lacks != nil && h.document.Lacks(request) {
		return h.next.RoundTrip(request)
	}
	sent, err := whole(&request.Body)
	if err != nil {
		return nil, err
	}
	check := request.Clone(request.Context())
	check.Body = io.NopCloser(bytes.NewReader(sent))
	route, parameters, err := h.document.router.FindRoute(check)
	if err != nil {
		h.t.Errorf("%s %s is not in the official document: %v", request.Method, request.URL.Path, err)
		return h.next.RoundTrip(request)
	}
	input := &openapi3filter.RequestValidationInput{Request: check, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true}}
	if h.document.Bodies != nil {
		input.Options.ExcludeRequestBody, input.Options.ExcludeResponseBody = h.document.Bodies(request)
	}
	if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
		h.t.Errorf("%s %s: the request is not as the document has it: %v\n%.2000s", request.Method, request.URL, err, sent)
	}
	response, err := h.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	answer, err := whole(&response.Body)
	if err != nil {
		return nil, err
	}
	if err := h.answered(input, response, answer); err != nil {
		h.t.Errorf("%s %s: the answer %d is not as the document has it: %v\n%.2000s", request.Method, request.URL.Path, response.StatusCode, err, answer)
	}
	return response, nil
}

func (h *held) answered(input *openapi3filter.RequestValidationInput, response *http.Response, answer []byte) error {
	listed := input.Route.Operation.Responses.Status(response.StatusCode) != nil
	if field := h.document.ErrorField; field != "" && response.StatusCode >= http.StatusBadRequest && !listed {
		if !bytes.Contains(answer, []byte(`"`+field+`"`)) {
			return errors.New("an error without its " + field)
		}
		return nil
	}
	return openapi3filter.ValidateResponse(input.Request.Context(), &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: response.StatusCode,
		Header: response.Header, Options: input.Options, Body: io.NopCloser(bytes.NewReader(answer))})
}

// whole reads a body and puts what it read back in its place.
func whole(body *io.ReadCloser) ([]byte, error) {
	if *body == nil {
		return nil, nil
	}
	read, err := io.ReadAll(*body)
	if err := errors.Join(err, (*body).Close()); err != nil {
		return nil, err
	}
	*body = io.NopCloser(bytes.NewReader(read))
	return read, nil
}
