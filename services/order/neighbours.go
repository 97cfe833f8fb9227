package order

import (
	"context"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// answerMargin is how much longer than the provider's limit a charge may take on its way through the payment service.
const answerMargin = 2 * time.Second

// neighbours are the services that a checkout asks.
type neighbours struct {
	client   *httpx.Client
	provider time.Duration
}

func (n neighbours) cart(ctx context.Context, ref cartRef) (contract.CartContents, error) {
	var cart contract.CartContents
	call := httpx.Call{Service: contract.ServiceCart, Method: http.MethodGet, Path: "/internal/v1/users/" + ref.userID + "/cart", Out: &cart}
	if ref.text != "" {
		call.Path, call.Header = "/internal/v1/cart", map[string]string{contract.HeaderCartID: ref.text}
	}
	err := n.client.Do(ctx, call)
	if contract.CodeOf(err) == contract.CodeNotFound {
		return contract.CartContents{}, errNoCart()
	}
	return cart, err
}

// takeOut has a cart give up the goods of a confirmed order, as it does when it hears of the order.
func (n neighbours) takeOut(ctx context.Context, order placed) error {
	return n.client.Do(ctx, httpx.Call{
		Service: contract.ServiceCart, Method: http.MethodPost, Path: "/internal/v1/carts/" + order.cartID + "/orders", In: order.change(),
	})
}

// prices asks for all lines at once, by the price lists of the region that the goods go to.
func (n neighbours) prices(ctx context.Context, cart contract.CartContents, region string) ([]contract.PricedSKU, error) {
	query := contract.SKUQuery{Currency: cart.Currency, Region: region}
	for _, line := range sumBySKU(cart.Lines) {
		query.SKUs = append(query.SKUs, line.SKU)
	}
	if len(query.SKUs) == 0 {
		return nil, nil
	}
	var priced struct {
		Items []contract.PricedSKU `json:"items"`
	}
	err := n.client.Do(ctx, httpx.Call{Service: contract.ServiceCatalog, Method: http.MethodPost, Path: "/internal/v1/skus", In: query, Out: &priced})
	return priced.Items, err
}

func (n neighbours) reserve(ctx context.Context, sagaID string, order placed, hold time.Duration, first bool) error {
	request := contract.ReservationRequest{
		SagaID: sagaID, Country: order.ShippingAddress.Country, HoldSeconds: int64(hold / time.Second), Lines: order.change().Lines, First: first,
	}
	return n.client.Do(ctx, httpx.Call{Service: contract.ServiceInventory, Method: http.MethodPost, Path: "/internal/v1/reservations", In: request})
}

func (n neighbours) release(ctx context.Context, sagaID string) error {
	return n.client.Do(ctx, httpx.Call{
		Service: contract.ServiceInventory, Method: http.MethodPost, Path: "/internal/v1/reservations/" + sagaID + "/release",
	})
}

func (n neighbours) charge(ctx context.Context, s saga, order placed) (contract.Payment, error) {
	var payment contract.Payment
	err := n.client.Do(ctx, httpx.Call{
		Service: contract.ServicePayment, Method: http.MethodPost, Path: "/internal/v1/charges", Timeout: n.provider + answerMargin,
		In: contract.ChargeRequest{SagaID: s.id, OrderID: order.ID, Amount: order.Total, Token: s.token}, Out: &payment,
	})
	return payment, err
}

// payment reads a charge from its owner; contract.CodeNotFound when there is none.
func (n neighbours) payment(ctx context.Context, sagaID string) (contract.Payment, error) {
	var payment contract.Payment
	err := n.client.Do(ctx, httpx.Call{Service: contract.ServicePayment, Method: http.MethodGet, Path: "/internal/v1/charges/" + sagaID, Out: &payment})
	return payment, err
}

// void may have to wait for the provider's word on a charge under way.
func (n neighbours) void(ctx context.Context, sagaID string) error {
	return n.client.Do(ctx, httpx.Call{
		Service: contract.ServicePayment, Method: http.MethodPost, Path: "/internal/v1/charges/" + sagaID + "/void", Timeout: n.provider + answerMargin,
	})
}
