package cart

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/meridian-store/meridian/contract"
)

// sighting is what a shopper was shown of a line: its price in minor units of the cart's currency, and how much there was.
type sighting struct {
	amount int64
	band   contract.Band
}

// sightingOf gives what is shown of a SKU now; false when it cannot be bought, which is nothing to compare with.
func sightingOf(item contract.PricedSKU) (sighting, bool) {
	if item.Price == nil {
		return sighting{}, false
	}
	return sighting{amount: item.Price.Amount, band: item.Stock}, true
}

// String writes the sighting as Redis holds it: amount|band.
func (s sighting) String() string { return fmt.Sprintf("%d|%s", s.amount, s.band) }

// decodeSeen reads sightings by SKU. One that cannot be read is as if the line had never been shown: it is made again.
func decodeSeen(fields map[string]string) map[string]sighting {
	seen := make(map[string]sighting, len(fields))
	for sku, text := range fields {
		amount, band, _ := strings.Cut(text, "|")
		if n, err := strconv.ParseInt(amount, 10, 64); err == nil && n >= 0 {
			seen[sku] = sighting{amount: n, band: contract.Band(band)}
		}
	}
	return seen
}

// marked says what is different about a line from what its shopper was shown.
func (s sighting) marked(line contract.CartLine, currency string) contract.CartLine {
	if line.UnitPrice == nil || line.UnitPrice.Amount != s.amount {
		line.PriceWas = &contract.Money{Amount: s.amount, Currency: currency}
	}
	if line.Stock != s.band {
		line.StockWas = s.band
	}
	return line
}

// firstShown gives what is shown now of those lines that were never shown: after a merge, and after Redis was lost.
func (p prices) firstShown(c cart) map[string]sighting {
	first := map[string]sighting{}
	for sku, now := range p.shown(c) {
		if _, before := c.seen[sku]; !before {
			first[sku] = now
		}
	}
	return first
}

// shown gives what is shown now of each line that can be bought.
func (p prices) shown(c cart) map[string]sighting {
	shown := map[string]sighting{}
	for _, l := range c.live() {
		if now, buyable := sightingOf(p.known[l.sku]); buyable {
			shown[l.sku] = now
		}
	}
	return shown
}

// note remembers what a shopper was shown: one round trip, none for nothing.
func (s *store) note(ctx context.Context, id string, shown map[string]sighting) error {
	if len(shown) == 0 {
		return nil
	}
	key := s.keys.seen(id)
	set := s.redis.B().Hset().Key(key).FieldValue()
	for sku, what := range shown {
		set = set.FieldValue(sku, what.String())
	}
	for _, answer := range s.redis.DoMulti(ctx, set.Build(), s.redis.B().Pexpire().Key(key).Milliseconds(retention.Milliseconds()).Build()) {
		if err := answer.Error(); err != nil {
			return unreachable(err)
		}
	}
	return nil
}
