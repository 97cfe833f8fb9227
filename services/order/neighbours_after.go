package order

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// refund asks payment to give back part of what a saga was charged, as often as need be: the request names the refund.
func (n neighbours) refund(ctx context.Context, sagaID string, request json.RawMessage) (contract.Refund, error) {
	var refund contract.Refund
	err := n.client.Do(ctx, httpx.Call{
		Service: contract.ServicePayment, Method: http.MethodPost, Path: "/internal/v1/charges/" + sagaID + "/refunds", Timeout: n.provider + answerMargin,
		In: request, Out: &refund,
	})
	return refund, err
}

// restock asks inventory to put units of a saga's sale on hand again, as often as need be: the request names the return.
func (n neighbours) restock(ctx context.Context, sagaID string, request json.RawMessage) error {
	return n.client.Do(ctx, httpx.Call{
		Service: contract.ServiceInventory, Method: http.MethodPost, Path: "/internal/v1/reservations/" + sagaID + "/returns", In: request,
	})
}
