package httpx

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/kit/telemetry"
)

// CallTimeout bounds a call to another service unless the caller's context ends earlier.
const CallTimeout = 3 * time.Second

const maxAnswer = 32 << 20

// Resolver finds a healthy instance of a service: discovery's watch of Consul.
type Resolver interface {
	// Pick gives the host:port of an instance, other than those in not when there is a choice.
	Pick(ctx context.Context, service string, not ...string) (string, error)
}

// fixed resolves every service to one address.
type fixed string

func (f fixed) Pick(_ context.Context, service string, not ...string) (string, error) {
	if slices.Contains(not, string(f)) {
		return "", fmt.Errorf("no other instance of %s than %s", service, f)
	}
	return string(f), nil
}

// Client calls the services of a region, and is the one place that sends the internal secret (contract.HeaderInternal).
// Exceptions: the gateway's homes.go, which forwards shoppers' requests with fasthttp and adds the secret to them, and
// tests that check the header. TestInternalSecret_IsSentByOneClient lists them.
type Client struct {
	resolver Resolver
	secret   secret.Secret
	http     *http.Client
}

// NewClient makes the client that a service shares among its calls.
func NewClient(resolver Resolver, internalSecret secret.Secret) *Client {
	client := httpclient.New(httpclient.Options{
		Timeout: httpclient.CallerDeadline, DialTimeout: 500 * time.Millisecond, // Do sets a deadline
		MaxIdleConnsPerHost: 64, IdleTimeout: 60 * time.Second,
	})
	return &Client{resolver: resolver, secret: internalSecret, http: client}
}

// NewClientAt makes a client of the services that listen at one address (host:port), without discovery.
func NewClientAt(address string, internalSecret secret.Secret) *Client {
	return NewClient(fixed(address), internalSecret)
}

// At returns a client of one instance (host:port) that shares the connections of c.
func (c *Client) At(address string) *Client {
	return &Client{resolver: fixed(address), secret: c.secret, http: c.http}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Call is one request to another service.
type Call struct {
	Service, Method, Path string
	Header                map[string]string
	// In is sent as JSON when not nil. Out is decoded from a 2xx answer's JSON when not nil; a *[]byte gets the body as
	// it is.
	In, Out any
	// Timeout replaces CallTimeout when set.
	Timeout time.Duration
}

// Do makes a call. A problem document comes back as the contract.Error it was made from; a neighbour that cannot be reached
// is contract.CodeUnavailable. A call that was never delivered (connection refused) is tried once more at another instance.
func (c *Client) Do(ctx context.Context, call Call) error {
	timeout := call.Timeout
	if timeout == 0 {
		timeout = CallTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body []byte
	if call.In != nil {
		var err error
		if body, err = json.Marshal(call.In); err != nil {
			return fmt.Errorf("encode the call to %s: %w", call.Service, err)
		}
	}
	first, err := c.resolver.Pick(ctx, call.Service)
	if err != nil {
		return contract.Unavailable(err, "%s cannot be reached", call.Service)
	}
	err = c.send(ctx, first, call, body)
	if errors.Is(err, syscall.ECONNREFUSED) {
		second, pickErr := c.resolver.Pick(ctx, call.Service, first)
		if pickErr == nil {
			err = c.send(ctx, second, call, body)
		}
	}
	var transport *transportError
	if errors.As(err, &transport) {
		return contract.Unavailable(err, "%s did not answer", call.Service)
	}
	return err
}

// transportError is a failure to get any answer, as opposed to an answer that is an error.
type transportError struct{ cause error }

func (e *transportError) Error() string { return e.cause.Error() }
func (e *transportError) Unwrap() error { return e.cause }

func (c *Client) send(ctx context.Context, address string, call Call, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, call.Method, "http://"+address+call.Path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the call to %s: %w", call.Service, err)
	}
	for name, value := range call.Header {
		request.Header.Set(name, value)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set(contract.HeaderInternal, c.secret.Current())
	request.Header.Set("traceparent", telemetry.TraceParent(ctx))
	response, err := c.http.Do(request)
	if err != nil {
		return &transportError{err}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return &transportError{err}
	}
	return c.read(response, answer, call)
}

func (c *Client) read(response *http.Response, answer []byte, call Call) error {
	if response.StatusCode < 300 {
		if call.Out == nil {
			return nil
		}
		if raw, ok := call.Out.(*[]byte); ok {
			*raw = answer
			return nil
		}
		if err := json.Unmarshal(answer, call.Out); err != nil {
			return fmt.Errorf("read the answer of %s: %w", call.Service, err)
		}
		return nil
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), ProblemContentType) {
		var problem Problem
		if err := json.Unmarshal(answer, &problem); err == nil {
			return problem.AsError()
		}
	}
	return contract.Unavailable(fmt.Errorf("status %d", response.StatusCode), "%s gave no usable answer", call.Service)
}
