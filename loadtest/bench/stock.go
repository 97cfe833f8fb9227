package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/meridian-store/meridian/contract"
)

// enough products for reads and purchases to spread over.
const enough = 400

// stock is what the shop sells, as far as it is used here.
type stock struct {
	slugs []string
	// skus are in stock and have a price.
	skus []string
}

// readStock goes through the shop's list and reads its products.
func readStock(c *client) (stock, error) {
	var found stock
	for cursor := ""; len(found.skus) < enough; {
		var page struct {
			Items      []contract.Summary `json:"items"`
			NextCursor string             `json:"next_cursor"`
		}
		if err := read(c, "/api/v1/products?limit=100&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return stock{}, err
		}
		for _, item := range page.Items {
			var product contract.Product
			if err := read(c, productPath+item.Slug, &product); err != nil {
				return stock{}, err
			}
			found.slugs = append(found.slugs, item.Slug)
			for _, variant := range product.Variants {
				if variant.Stock == contract.BandInStock && variant.Price != nil {
					found.skus = append(found.skus, variant.SKU)
				}
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(found.skus) == 0 {
		return stock{}, errors.New("the shop has nothing in stock: fill it with `meridian seed`")
	}
	return found, nil
}

func read(c *client, target string, into any) error {
	c.prepare("GET", target)
	answer, err := c.send(200)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer.Body(), into); err != nil {
		return fmt.Errorf("read %s: %w", target, err)
	}
	return nil
}
