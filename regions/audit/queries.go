package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// query is a check that one database answers alone, in one statement and so of one moment: each row that it gives is a violation.
type query struct {
	Check
	service string
	// what is one sentence about a row; %s stands for the row's ids.
	what string
	// sql gives for each row its ids as one text array; $1 is the region, all regions when it looks everywhere at once.
	sql        string
	everywhere bool
}

// queries lists the checks of one database each.
func queries() []query {
	return []query{
		{
			Check:   Check{"cart_bought_twice", "What is in a cart is bought once: no two orders follow the same one."},
			service: contract.ServiceOrder, what: "The same goods of a cart were bought by more than one order: %s.",
			sql: `SELECT array_append(array_agg(id ORDER BY id), cart_id) FROM orders
				WHERE crdb_region = $1 AND status <> 'failed' GROUP BY cart_id, follows HAVING count(*) > 1`,
		},
		{
			Check:   Check{"key_used_twice", "An idempotency key of a cart opens one saga."},
			service: contract.ServiceOrder, what: "One Idempotency-Key has opened more than one saga: %s.",
			sql: `SELECT array_append(array_agg(id ORDER BY id), cart_id) FROM sagas
				WHERE crdb_region = $1 GROUP BY cart_id, idempotency_key HAVING count(*) > 1`,
		},
		{
			Check:   Check{"two_charges_of_order", "An order has one captured payment."},
			service: contract.ServicePayment, what: "One order has more than one captured payment: %s.",
			sql: `SELECT array_append(array_agg(id ORDER BY id), order_id) FROM payments
				WHERE crdb_region = $1 AND state = 'captured' GROUP BY order_id HAVING count(*) > 1`,
		},
		{
			Check:   Check{"return_not_moved", "What came back of a sale is on the shelves' books: a return's units are its movements."},
			service: contract.ServiceInventory, what: "The units of a return are not those that its movements put on the shelves: %s.", everywhere: true,
			sql: `WITH back AS (
					SELECT return_id, unit->>'region' AS region, unit->>'warehouse' AS warehouse, unit->>'sku' AS sku, sum((unit->>'quantity')::INT8) AS quantity
					FROM returns, jsonb_array_elements(allocations) AS unit WHERE crdb_region = ANY($1) GROUP BY 1, 2, 3, 4
				), moved AS (
					SELECT reference AS return_id, crdb_region::TEXT AS region, warehouse, sku, sum(quantity) AS quantity
					FROM movements WHERE crdb_region = ANY($1) AND kind = 'returned' GROUP BY 1, 2, 3, 4
				)
				SELECT DISTINCT ARRAY[return_id] FROM back FULL JOIN moved USING (return_id, region, warehouse, sku)
				WHERE back.quantity IS DISTINCT FROM moved.quantity`,
		},
		{
			Check:   Check{"promotion_uses_miscounted", "A limited promotion's counted uses are the orders that use it."},
			service: contract.ServiceOrder, what: "A promotion's counter is not the number of orders that use it: %s.", everywhere: true,
			sql: `WITH made AS (
					SELECT home AS region, promotion_id, customer, count(*) AS used
					FROM promotion_redemptions WHERE crdb_region = ANY($1) GROUP BY 1, 2, 3
				), counted AS (
					SELECT crdb_region::TEXT AS region, promotion_id, customer, used FROM promotion_uses WHERE crdb_region = ANY($1) AND used > 0
				)
				SELECT DISTINCT ARRAY[promotion_id] FROM made FULL JOIN counted USING (region, promotion_id, customer)
				WHERE made.used IS DISTINCT FROM counted.used`,
		},
		{
			Check:   Check{"promotion_over_limit", "A promotion is used no more often than its limits say, in all and by one customer."},
			service: contract.ServiceOrder, what: "A promotion was used more often than its limit allows: %s.",
			sql: `SELECT DISTINCT ARRAY[promotion_id] FROM promotion_uses WHERE crdb_region = $1 AND used > use_limit`,
		},
		{
			Check:   Check{"promotion_use_left_over", "Only live orders use up a limited promotion."},
			service: contract.ServiceOrder, what: "An order that is not sold keeps a use of a promotion: %s.",
			sql: `SELECT DISTINCT ARRAY[r.order_id, r.promotion_id] FROM promotion_redemptions AS r
				LEFT JOIN orders AS o ON o.crdb_region = r.crdb_region AND o.id = r.order_id
				LEFT JOIN order_archive AS a ON a.crdb_region = r.crdb_region AND a.id = r.order_id
				WHERE r.crdb_region = $1 AND COALESCE(o.status, a.status, 'gone') IN ('failed', 'cancelled', 'gone')`,
		},
	}
}

// asked runs a query in each region.
type asked struct {
	query
	db      *sqldb.DB
	regions []string
}

func (a *asked) examine(ctx context.Context, _ []string, found func(Violation)) error {
	if a.everywhere {
		return a.ask(ctx, a.regions, found)
	}
	for _, region := range a.regions {
		if err := a.ask(ctx, region, found); err != nil {
			return err
		}
	}
	return nil
}

func (a *asked) ask(ctx context.Context, where any, found func(Violation)) error {
	rows, err := a.db.Query(ctx, a.sql, where)
	if err != nil {
		return unreadable(a.service, err)
	}
	var ids []string
	_, err = pgx.ForEachRow(rows, []any{&ids}, func() error {
		found(Violation{Code: a.code, What: fmt.Sprintf(a.what, ids[0]), IDs: slices.Clone(ids)})
		return nil
	})
	if err != nil {
		return unreadable(a.service, err)
	}
	return nil
}
