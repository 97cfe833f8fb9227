package identity

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

const (
	// mergeTimeout is how long a login waits for the cart service: it succeeds without it too.
	mergeTimeout = time.Second
	orderPage    = "100"
)

// neighbours are the services that identity asks.
type neighbours struct{ client *httpx.Client }

// merge moves a guest's cart into a user's.
func (n neighbours) merge(ctx context.Context, userID, guest string) (contract.CartMerge, error) {
	var merge contract.CartMerge
	err := n.client.Do(ctx, httpx.Call{
		Service: contract.ServiceCart, Method: http.MethodPost, Path: "/internal/v1/carts/merge", Timeout: mergeTimeout,
		Header: map[string]string{contract.HeaderCartID: guest}, In: contract.CartMergeRequest{UserID: userID}, Out: &merge,
	})
	return merge, err
}

// orders reads all of a user's orders in the user's own name.
func (n neighbours) orders(ctx context.Context, authorization string) ([]contract.Order, error) {
	orders := []contract.Order{}
	for cursor := ""; ; {
		var page struct {
			Items      []contract.Order `json:"items"`
			NextCursor string           `json:"next_cursor"`
		}
		query := url.Values{"limit": {orderPage}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		err := n.client.Do(ctx, httpx.Call{
			Service: contract.ServiceOrder, Method: http.MethodGet, Path: "/api/v1/orders?" + query.Encode(),
			Header: map[string]string{"Authorization": authorization}, Out: &page,
		})
		if err != nil {
			return nil, err
		}
		orders = append(orders, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			return orders, nil
		}
	}
}
