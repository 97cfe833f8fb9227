package httpclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// MaxBody limits the response body that Request reads, in bytes.
const MaxBody = 32 << 20

// Request is a request whose response is read whole.
type Request struct {
	// Client sends it; Default when nil.
	Client *http.Client
	// Method is GET when empty.
	Method, URL string
	Header      map[string]string
	// Body is sent as it is when a []byte, otherwise as JSON, as application/json unless Header has another
	// Content-Type; nil for none.
	Body any
}

// Response is a whole response.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// StatusError is returned by Decode for a response that is not 2xx.
type StatusError struct {
	Method, URL string
	Response
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: status %d: %.300s", e.Method, e.URL, e.Status, e.Body)
}

// Send returns the response, whatever its status. A body larger than MaxBody is an error.
func (r Request) Send(ctx context.Context) (Response, error) {
	body, isRaw := r.Body.([]byte)
	if r.Body != nil && !isRaw {
		var err error
		if body, err = json.Marshal(r.Body); err != nil {
			return Response{}, fmt.Errorf("encode the body of %s %s: %w", r.method(), r.URL, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, r.method(), r.URL, bytes.NewReader(body))
	if err != nil {
		return Response{}, err
	}
	if r.Body != nil && !isRaw {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.Header {
		request.Header.Set(name, value)
	}
	response, err := cmp.Or(r.Client, Default).Do(request) //nolint:gosec // the caller chooses the server
	if err != nil {
		return Response{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, MaxBody+1))
	if err != nil {
		return Response{}, fmt.Errorf("read the response of %s %s: %w", r.method(), r.URL, err)
	}
	if len(read) > MaxBody {
		return Response{}, fmt.Errorf("%s %s: response larger than %d bytes", r.method(), r.URL, MaxBody)
	}
	return Response{Status: response.StatusCode, Header: response.Header, Body: read}, nil
}

// Decode sends the request and decodes a 2xx response's JSON into out unless out is nil. It returns a StatusError
// for any other status.
func (r Request) Decode(ctx context.Context, out any) error {
	response, err := r.Send(ctx)
	if err != nil {
		return err
	}
	if response.Status/100 != 2 {
		return &StatusError{Method: r.method(), URL: r.URL, Response: response}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(response.Body, out); err != nil {
		return fmt.Errorf("decode the response of %s %s: %w", r.method(), r.URL, err)
	}
	return nil
}

func (r Request) method() string { return cmp.Or(r.Method, http.MethodGet) }
