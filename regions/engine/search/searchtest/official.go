// Package searchtest holds what tests send to a search engine, and what it answers, to Typesense's own document.
package searchtest

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// document is where the official OpenAPI document is, beside a clone.
func document() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../../../..", "shared/contracts/typesense.yaml")
}

var official = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(document())
	if err != nil {
		return nil, err
	}
	doc.Servers = nil
	for _, schema := range doc.Components.Schemas {
		allowAny(schema, map[*openapi3.Schema]bool{})
	}
	return gorillamux.NewRouter(doc)
})

// allowAny takes the document at its other word, where it says that a value is an object, and to generators that it may be anything: the
// words that matched are texts.
func allowAny(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	s := ref.Value
	seen[s] = true
	if s.Extensions["x-go-type"] == "interface{}" {
		s.Type = nil
	}
	for _, below := range s.Properties {
		allowAny(below, seen)
	}
	for _, below := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf, openapi3.SchemaRefs{s.Items, s.AdditionalProperties.Schema}) {
		allowAny(below, seen)
	}
}

// Client gives an HTTP client whose every request and answer is held to the official document. Where the document is absent, that is said
// and nothing is held.
func Client(t testing.TB) *http.Client {
	t.Helper()
	if _, err := os.Stat(document()); err != nil {
		t.Logf("Typesense's OpenAPI document is not there, so nothing is held to it: %v", err)
		return http.DefaultClient
	}
	router, err := official()
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: &held{t: t, router: router}}
}

type held struct {
	t      testing.TB
	router routers.Router
}

// RoundTrip sends a request on after it was held to the document, and gives the answer after that was.
func (h *held) RoundTrip(request *http.Request) (*http.Response, error) {
	var sent []byte
	if request.Body != nil {
		var err error
		if sent, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
		request.Body = io.NopCloser(bytes.NewReader(sent))
	}
	check := request.Clone(request.Context())
	check.Body = io.NopCloser(bytes.NewReader(sent))
	route, parameters, err := h.router.FindRoute(check)
	if err != nil {
		h.t.Errorf("%s %s is not in the official document: %v", request.Method, request.URL.Path, err)
		return http.DefaultTransport.RoundTrip(request)
	}
	input := &openapi3filter.RequestValidationInput{Request: check, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true}}
	// Lines of JSON are no JSON.
	lines := strings.HasSuffix(request.URL.Path, "/documents/import") || strings.HasSuffix(request.URL.Path, "/documents/export")
	input.Options.ExcludeRequestBody, input.Options.ExcludeResponseBody = lines, lines
	if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
		h.t.Errorf("%s %s: the request is not as the document has it: %v\n%s", request.Method, request.URL, err, sent)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	// Errors that the document does not list for an operation have the shape of those that it does.
	if response.StatusCode >= http.StatusBadRequest && route.Operation.Responses.Status(response.StatusCode) == nil {
		if !bytes.Contains(answer, []byte(`"message"`)) {
			h.t.Errorf("%s %s: the error %d has no message: %s", request.Method, request.URL.Path, response.StatusCode, answer)
		}
		return response, nil
	}
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: response.StatusCode, Header: response.Header, Options: input.Options,
		Body: io.NopCloser(bytes.NewReader(answer))}
	if err := openapi3filter.ValidateResponse(request.Context(), output); err != nil {
		h.t.Errorf("%s %s: the answer %d is not as the document has it: %v\n%.2000s", request.Method, request.URL.Path, response.StatusCode, err, answer)
	}
	return response, nil
}
