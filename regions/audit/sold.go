package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// Sold counts, for some orders that began after a time, how often each is in our books as sold and how often the payment provider has
// captured it: once and once, of an order that was acknowledged.
func Sold(ctx context.Context, config Config, orders []string, since time.Time) (found, charged map[string]int, err error) {
	found, charged = map[string]int{}, map[string]int{}
	rows, err := config.Databases[contract.ServiceOrder].Query(ctx, `
		SELECT id FROM orders WHERE crdb_region = ANY($1) AND id = ANY($2) AND status NOT IN ('pending', 'failed')`, config.Regions, orders)
	if err != nil {
		return nil, nil, &CannotLook{"the database of order", err}
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, nil, &CannotLook{"the database of order", err}
	}
	for _, id := range ids {
		found[id]++
	}
	err = config.Ledger.Charges(ctx, since.Add(-clockSlack), func(intent provider.Intent) error {
		if intent.Captured > 0 {
			charged[intent.OrderID]++
		}
		return nil
	})
	if err != nil {
		return nil, nil, &CannotLook{"the payment provider's books", fmt.Errorf("list charges: %w", err)}
	}
	return found, charged, nil
}
