package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

const (
	listPath    = "/api/v1/products?limit=20"
	productPath = "/api/v1/products/"
	cartPath    = "/api/v1/cart/items"
)

// at stands a request at the shopper's edge location.
func (w *world) at(c *client, method, target string) {
	c.prepare(method, target).Header.Set("X-Edge-Location", w.location.IATA)
}

// hit reads what the edge has. Every two seconds one of the reads fills the cache again, as it does in a real shop.
func (w *world) hit(_ int, c *client) operation {
	return func(context.Context) error {
		w.at(c, "GET", listPath)
		answer, err := c.send(200)
		if err != nil {
			return err
		}
		if how := string(answer.Header.Peek("X-Cache")); how != "HIT" && how != "MISS" {
			return fmt.Errorf("GET %s is answered with X-Cache %q, so the edge does not cache it", listPath, how)
		}
		return nil
	}
}

func (w *world) readList(_ int, c *client) operation {
	return func(context.Context) error {
		c.prepare("GET", listPath)
		_, err := c.send(200)
		return err
	}
}

// readProduct reads one product after another, each client beginning elsewhere.
func (w *world) readProduct(i int, c *client) operation {
	next := i * 17
	return func(context.Context) error {
		next++
		c.prepare("GET", productPath+w.stock.slugs[next%len(w.stock.slugs)])
		_, err := c.send(200)
		return err
	}
}

func (w *world) addToCart(i int, c *client) operation {
	next := i * 17
	return func(context.Context) error {
		next++
		_, err := w.newCart(c, w.stock.skus[next%len(w.stock.skus)])
		return err
	}
}

// newCart puts one unit into a cart of its own and gives the text that presents the cart.
func (w *world) newCart(c *client, sku string) (string, error) {
	if err := w.post(c, cartPath, map[string]any{"sku": sku, "quantity": 1}); err != nil {
		return "", err
	}
	answer, err := c.send(200)
	if err != nil {
		return "", err
	}
	cart := string(answer.Header.Peek(contract.HeaderCartID))
	if cart == "" {
		return "", fmt.Errorf("POST %s made no cart", cartPath)
	}
	return cart, nil
}

func (w *world) post(c *client, target string, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode a request: %w", err)
	}
	w.at(c, "POST", target)
	c.request.Header.SetContentType("application/json")
	c.request.SetBodyRaw(encoded)
	return nil
}

// purchase is add, quote, buy. Each client walks through the whole stock, so that no SKU is hot or sold out.
func (w *world) purchase(i int, c *client) operation {
	next := i * len(w.stock.skus) / w.clients
	address := contract.Address{Name: "Bench", Line1: "1 Main Street", City: w.location.City, PostalCode: "10000", Country: w.location.Country}
	return func(context.Context) error {
		next++
		cart, err := w.newCart(c, w.stock.skus[next%len(w.stock.skus)])
		if err != nil {
			return err
		}
		if err := w.post(c, "/api/v1/checkout/quote", map[string]any{"shipping_address": address, "shipping_method": "standard"}); err != nil {
			return err
		}
		c.request.Header.Set(contract.HeaderCartID, cart)
		quoted, err := c.send(200)
		if err != nil {
			return err
		}
		var quote contract.Quote
		if err := json.Unmarshal(quoted.Body(), &quote); err != nil {
			return fmt.Errorf("read a quote: %w", err)
		}
		return w.buy(c, cart, map[string]any{
			"payment": map[string]string{"token": "tok_visa"}, "email": "bench@example.test", "quote": quote.Quote,
			"shipping_address": address, "shipping_method": "standard",
		})
	}
}

func (w *world) buy(c *client, cart string, request any) error {
	if err := w.post(c, "/api/v1/checkout", request); err != nil {
		return err
	}
	c.request.Header.Set(contract.HeaderCartID, cart)
	c.request.Header.Set(contract.HeaderIdempotencyKey, geo.NewID("key", "use"))
	// 202 would be an order that is not decided yet, which is no finished checkout.
	_, err := c.send(201)
	return err
}
