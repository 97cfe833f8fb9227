package control_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

const document = "../../../../shared/contracts/cloudflare.yaml"

var official = sync.OnceValues(func() (routers.Router, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(document)
	if err != nil {
		return nil, err
	}
	// The document is of 2024-08. It is held to as it is, at whatever address.
	doc.Servers = openapi3.Servers{{URL: "/client/v4"}}
	allowNull(doc)
	return gorillamux.NewRouter(doc)
})

// allowNull lets null be what the document says it may be: by an enumeration of null alone, or by no type at all. OpenAPI 3.0 has another
// word for that, which the document does not use there.
func allowNull(doc *openapi3.T) {
	seen := map[*openapi3.Schema]bool{}
	var visit func(ref *openapi3.SchemaRef)
	visit = func(ref *openapi3.SchemaRef) {
		if ref == nil || ref.Value == nil || seen[ref.Value] {
			return
		}
		s := ref.Value
		seen[s] = true
		s.Nullable = s.Nullable || s.Type == nil || len(s.Enum) == 1 && s.Enum[0] == nil
		for _, below := range s.Properties {
			visit(below)
		}
		for _, below := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf, openapi3.SchemaRefs{s.Items, s.Not}) {
			visit(below)
		}
	}
	for _, path := range doc.Paths.Map() {
		for _, operation := range path.Operations() {
			for _, response := range operation.Responses.Map() {
				for _, media := range response.Value.Content {
					visit(media.Schema)
				}
			}
		}
	}
}

// unknown are paths that the cut of the official document does not hold.
var unknown = []string{"/argo/tiered_caching", "/cache/regional_tiered_cache"}

// validating gives a client whose every request and answer is held to Cloudflare's own document.
func validating(t *testing.T) *http.Client {
	t.Helper()
	if _, err := os.Stat(document); err != nil {
		t.Logf("Cloudflare's OpenAPI document is not there, so nothing is held to it: %v", err)
		return http.DefaultClient
	}
	router, err := official()
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: &held{t: t, router: router}}
}

type held struct {
	t      *testing.T
	router routers.Router
}

func (h *held) RoundTrip(request *http.Request) (*http.Response, error) {
	for _, suffix := range unknown {
		if strings.HasSuffix(request.URL.Path, suffix) {
			return http.DefaultTransport.RoundTrip(request)
		}
	}
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
	// The document wants a body of a DELETE, which Cloudflare's own client has not sent for years.
	input.Options.ExcludeRequestBody = request.Method == http.MethodDelete
	if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
		h.t.Errorf("%s %s: the request is not as the document has it: %v\n%s", request.Method, request.URL.Path, err, sent)
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
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: response.StatusCode, Header: response.Header, Options: input.Options,
		Body: io.NopCloser(bytes.NewReader(answer))}
	if err := openapi3filter.ValidateResponse(request.Context(), output); err != nil {
		h.t.Errorf("%s %s: the answer %d is not as the document has it: %v\n%s", request.Method, request.URL.Path, response.StatusCode, err, answer)
	}
	return response, nil
}
