package cart

import (
	"context"
	"net/http"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// prices is what the catalog said of some SKUs in one currency and one region, by name.
type prices struct {
	currency, region string

	asked map[string]bool
	known map[string]contract.PricedSKU
}

func newPrices(currency, region string) prices {
	return prices{currency: currency, region: region, asked: map[string]bool{}, known: map[string]contract.PricedSKU{}}
}

// learn asks the catalog, in one call, about those SKUs that were not asked about before; in none when there are none.
func (p prices) learn(ctx context.Context, client *httpx.Client, skus ...string) error {
	query := contract.SKUQuery{Currency: p.currency, Region: p.region}
	for _, sku := range skus {
		if !p.asked[sku] {
			p.asked[sku] = true
			query.SKUs = append(query.SKUs, sku)
		}
	}
	if len(query.SKUs) == 0 {
		return nil
	}
	var answer struct {
		Items []contract.PricedSKU `json:"items"`
	}
	err := client.Do(ctx, httpx.Call{Service: contract.ServiceCatalog, Method: http.MethodPost, Path: "/internal/v1/skus", In: query, Out: &answer})
	if err != nil {
		// Whatever is wrong there, a cart without its prices is not shown: better none than a wrong one.
		return contract.Unavailable(err, "prices cannot be read now; try again shortly")
	}
	for _, item := range answer.Items {
		if item.Price != nil && !sellable(*item.Price, p.currency) {
			item.Price = nil
		}
		p.known[item.SKU] = item
	}
	return nil
}

// sellable says whether a price is one to sell at.
func sellable(price contract.Money, currency string) bool {
	return price.Currency == currency && price.Amount >= 0 && price.Amount <= contract.MaxAmount
}

// mustSell refuses a SKU that nobody could buy in the currency.
func (p prices) mustSell(sku string) error {
	item, known := p.known[sku]
	if !known {
		return errUnknownSKU()
	}
	if item.Price == nil {
		return contract.Invalid("sku", "has no price in %s", p.currency)
	}
	return nil
}

// sighting gives what is shown of a SKU as Redis holds it, "" when it cannot be bought.
func (p prices) sighting(sku string) string {
	if now, buyable := sightingOf(p.known[sku]); buyable {
		return now.String()
	}
	return ""
}

// show gives the cart as its shopper reads it. What is not sold any more, or has no price, stays in the cart but outside the sum.
func (p prices) show(c cart) contract.Cart {
	shown := emptyCart(c.currency)
	shown.ID, shown.Version = c.id, c.version
	for _, l := range c.live() {
		shown.Count += l.quantity
		item := p.known[l.sku]
		view := contract.CartLine{
			SKU: l.sku, Quantity: l.quantity, ProductID: item.ProductID, Slug: item.Slug, Title: item.Title, VariantTitle: item.VariantTitle,
			Image: item.Image, Stock: contract.BandOut,
		}
		if item.Price != nil {
			unit, total := *item.Price, item.Price.Times(l.quantity)
			view.UnitPrice, view.Total, view.Stock, view.Available = &unit, &total, item.Stock, true
			shown.Subtotal = shown.Subtotal.Plus(total)
		}
		if was, before := c.seen[l.sku]; before {
			view = was.marked(view, c.currency)
		}
		shown.Lines = append(shown.Lines, view)
	}
	for _, entered := range c.entered() {
		shown.Promotions = append(shown.Promotions, contract.CartPromotion{Code: entered.code, Title: entered.title})
	}
	return shown
}

// emptyCart is what a shopper reads before the first write: a cart without an id.
func emptyCart(currency string) contract.Cart {
	return contract.Cart{Currency: currency, Lines: []contract.CartLine{}, Subtotal: contract.Money{Currency: currency}}
}
