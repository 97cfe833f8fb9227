package search

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// catalog is what the index is kept equal to: the catalog's word on its products, as it is now.
type catalog struct{ client *httpx.Client }

const (
	pathDocuments = "/internal/v1/documents"
	// catalogTimeout bounds the reading of a thousand products.
	catalogTimeout = 15 * time.Second
)

func (c catalog) ask(ctx context.Context, method, path string, in, out any) error {
	return c.client.Do(ctx, httpx.Call{Service: contract.ServiceCatalog, Method: method, Path: pathDocuments + path, In: in, Out: out, Timeout: catalogTimeout})
}

type documents struct {
	Items []contract.ProductDocument `json:"items"`
}

// documents gives those of some products that are published, at most contract.MaxDocuments.
func (c catalog) documents(ctx context.Context, ids []string) ([]contract.ProductDocument, error) {
	var answer documents
	err := c.ask(ctx, http.MethodPost, "", map[string]any{"ids": ids}, &answer)
	return answer.Items, err
}

// page gives the published products behind an id.
func (c catalog) page(ctx context.Context, after string) ([]contract.ProductDocument, error) {
	var answer documents
	err := c.ask(ctx, http.MethodGet, "?"+url.Values{"after": {after}}.Encode(), nil, &answer)
	return answer.Items, err
}

// bucket sums up a part of the products.
func (c catalog) bucket(ctx context.Context, bucket string, revisions bool) (contract.DocumentBucket, error) {
	path := "/buckets/" + bucket
	if revisions {
		path += "?revisions=true"
	}
	var answer contract.DocumentBucket
	err := c.ask(ctx, http.MethodGet, path, nil, &answer)
	return answer, err
}

// inCategory gives the ids of all products of a category, what is below it included.
func (c catalog) inCategory(ctx context.Context, slug string) ([]string, error) {
	var all []string
	for after := ""; ; {
		var answer struct {
			IDs []string `json:"ids"`
		}
		if err := c.ask(ctx, http.MethodGet, "/ids?"+url.Values{"category": {slug}, "after": {after}}.Encode(), nil, &answer); err != nil {
			return nil, err
		}
		all = append(all, answer.IDs...)
		if len(answer.IDs) < contract.MaxDocuments {
			return all, nil
		}
		after = answer.IDs[len(answer.IDs)-1]
	}
}

// repriced tells what price lists have repriced by beginning or ending since a moment.
type repriced struct {
	IDs   []string  `json:"ids"`
	Until time.Time `json:"until"`
	Many  bool      `json:"many"`
}

func (c catalog) repriced(ctx context.Context, since time.Time) (repriced, error) {
	var answer repriced
	err := c.ask(ctx, http.MethodGet, "/repriced?"+url.Values{"since": {since.UTC().Format(time.RFC3339Nano)}}.Encode(), nil, &answer)
	return answer, err
}

// owners gives the product of each SKU that is sold.
func (c catalog) owners(ctx context.Context, skus []string) (map[string]string, error) {
	var answer struct {
		Products map[string]string `json:"products"`
	}
	err := c.ask(ctx, http.MethodPost, "/owners", map[string]any{"skus": skus}, &answer)
	return answer.Products, err
}
