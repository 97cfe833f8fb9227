package nearness

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/launcher"
)

// editorSignedIn is longer than any measurement.
const editorSignedIn = 2 * time.Hour

// Editor changes products of a copy on this machine.
type Editor struct {
	edge, token string
	touched     atomic.Int64
}

// NewEditor signs an editor in.
func NewEditor(home launcher.Home, edgeURL string) (*Editor, error) {
	token, err := launcher.TokenFor(home, geo.NewID("edt", "any"), contract.RoleMerchandiser, editorSignedIn)
	if err != nil {
		return nil, err
	}
	return &Editor{edge: edgeURL, token: token}, nil
}

// Touch changes what every page that shows a product says of it: its title gets a number at its end, or another one.
func (e *Editor) Touch(ctx context.Context, slug string) error {
	var product struct {
		Title string `json:"title"`
	}
	path := "/api/v1/admin/products/" + slug
	if err := e.send(ctx, http.MethodGet, path, nil, &product); err != nil {
		return err
	}
	const mark = " #"
	title, _, _ := bytes.Cut([]byte(product.Title), []byte(mark))
	change := map[string]string{"title": fmt.Sprintf("%s%s%d", title, mark, e.touched.Add(1))}
	return e.send(ctx, http.MethodPatch, path, change, nil)
}

func (e *Editor) send(ctx context.Context, method, path string, body, into any) error {
	header := map[string]string{"Authorization": "Bearer " + e.token}
	if body != nil {
		header["Content-Type"] = "application/merge-patch+json"
	}
	request := httpclient.Request{Method: method, URL: e.edge + path, Header: header, Body: body}
	if err := request.Decode(ctx, into); err != nil {
		return fmt.Errorf("change a product: %w", err)
	}
	return nil
}

// changeEverySecond changes any product, whether anybody reads it or not, and tells how many were changed.
func changeEverySecond(ctx context.Context, m *menu, change func(context.Context, string) error) (changed int, err error) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return changed, nil
		case <-ticker.C:
			if err := change(ctx, m.slugs[rand.IntN(len(m.slugs))]); err != nil && ctx.Err() == nil {
				return changed, err
			}
			changed++
		}
	}
}
