package catalog

import (
	"time"

	"github.com/meridian-store/meridian/contract"
)

// market is where and when a price is asked for. A region of "" asks for the prices of all regions alone.
type market struct {
	currency, region string
	at               time.Time
}

// arguments are $1, $2 and $3 of every statement that reads prices.
func (m market) arguments(more ...any) []any {
	return append([]any{m.currency, m.region, m.at}, more...)
}

// How a statement reads prices: listsInForce first, once, and effectivePrice for each variant v. There are few lists, and most of the
// time none, so that they are found once and the variants' prices by the primary key of their table; materialized, because PostgreSQL
// would otherwise look for the lists again at every variant. A region's own list goes before one of all regions, then the higher
// priority, then the one that was made last.
const (
	listsInForce = `
lists AS MATERIALIZED (
	SELECT id, region, priority, created_at FROM price_lists
	WHERE currency = $1 AND region IN ('', $2) AND (starts_at IS NULL OR starts_at <= $3::TIMESTAMPTZ) AND (ends_at IS NULL OR ends_at > $3::TIMESTAMPTZ))`

	// nextPrices is the next moment at which a list of the market begins or ends, after which an answer no longer holds.
	nextPrices = `(
	SELECT min(CASE WHEN starts_at > $3::TIMESTAMPTZ THEN starts_at ELSE ends_at END) FROM price_lists
	WHERE currency = $1 AND region IN ('', $2) AND (starts_at > $3::TIMESTAMPTZ OR ends_at > $3::TIMESTAMPTZ))`
	effectivePrice = `
LEFT JOIN prices AS r ON r.sku = v.sku AND r.currency = $1
LEFT JOIN LATERAL (
	SELECT lp.amount, lp.compare_at FROM lists AS l JOIN price_list_prices AS lp ON lp.list = l.id AND lp.sku = v.sku
	ORDER BY l.region = '', l.priority DESC, l.created_at DESC, l.id DESC LIMIT 1) AS o ON true`

	effectiveAmount    = `COALESCE(o.amount, r.amount)`
	effectiveCompareAt = `CASE WHEN o.amount IS NULL THEN r.compare_at ELSE o.compare_at END`
)

// publicMarket judges what a public request says of where prices are asked for. The answer depends on its URL alone: with no region in
// it, only the lists of all regions count, whichever region serves it.
func (s *Service) publicMarket(currency, region string) (market, error) {
	if err := s.checkRegion(region); err != nil {
		return market{}, err
	}
	return s.market(currency, region)
}

// market is where prices are asked for, now.
func (s *Service) market(currency, region string) (market, error) {
	if err := contract.ValidateCurrency("currency", currency); err != nil {
		return market{}, err
	}
	return market{currency: currency, region: region, at: s.now()}, nil
}

// checkRegion refuses a region that the shop does not have, so that a list is not lost to a slip of the pen.
func (s *Service) checkRegion(region string) error {
	if region == "" || s.regions[region] {
		return nil
	}
	return contract.Invalid("region", "there is no region %q", region)
}
