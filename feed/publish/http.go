package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// Kind is what a batch holds.
type Kind int

// The kinds: contract.CategoryInput, contract.ProductInput and contract.StockCount. The first two are answered with
// contract.BulkResult, the last with contract.StockResult.
const (
	Categories Kind = iota
	Products
	Stock
)

// Shop takes batches.
type Shop interface {
	// Send sends {"items": […]} and reads {"results": […]} into answer, one result for each item in their order. An error with
	// contract.CodeUnavailable or CodeTooMany says that the same batch may be taken later.
	Send(ctx context.Context, what Kind, batch json.RawMessage, answer any) error
}

const (
	requestTimeout = time.Minute
	maxAnswer      = 16 << 20
)

// HTTP is a shop by its public admin API, which any program may use.
type HTTP struct {
	// URL is a gateway's or the edge's; Token a bearer token of a merchandiser or an admin.
	URL, Token string
	// Client sends the requests. Required: the feed constructs no client.
	Client *http.Client
}

// Send implements Shop.
func (h HTTP) Send(ctx context.Context, what Kind, batch json.RawMessage, answer any) error {
	if h.Client == nil {
		return errors.New("no HTTP client: set publish.HTTP.Client")
	}
	path := map[Kind]string{
		Categories: "/api/v1/admin/categories/bulk", Products: "/api/v1/admin/products/bulk", Stock: "/api/v1/admin/inventory",
	}[what]
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL+path, bytes.NewReader(batch))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+h.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := h.Client.Do(request)
	if err != nil {
		return contract.Unavailable(err, "the shop cannot be reached: %s", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return contract.Unavailable(err, "the shop's answer broke off: %s", err)
	}
	if response.StatusCode != http.StatusOK {
		return problem(path, response, body)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("read the shop's answer: %w", err)
	}
	return nil
}

// problem makes an error of a problem document, or of whatever came in its place.
func problem(path string, response *http.Response, body []byte) error {
	var document struct{ Detail, Field string }
	text := response.Status
	if err := json.Unmarshal(body, &document); err == nil && document.Detail != "" {
		text = document.Detail
	}
	if document.Field != "" {
		text = document.Field + ": " + text
	}
	switch {
	case response.StatusCode == http.StatusTooManyRequests:
		return contract.Errorf(contract.CodeTooMany, "POST %s: %s", path, text)
	case response.StatusCode >= http.StatusInternalServerError:
		return contract.Errorf(contract.CodeUnavailable, "POST %s: %s", path, text)
	default:
		return fmt.Errorf("POST %s: %s", path, text)
	}
}
