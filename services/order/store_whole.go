package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// wholeColumns are an order with everything that became of it after the sale, in one round trip; scanWhole reads them.
const wholeColumns = `
	ARRAY(SELECT jsonb_build_object('id', c.id, 'lines', c.lines, 'reason', c.reason, 'refund_id', c.refund_id, 'created_at', c.created_at)::TEXT
		FROM order_cancellations AS c WHERE c.crdb_region = o.crdb_region AND c.order_id = o.id ORDER BY c.created_at, c.id),
	ARRAY(SELECT jsonb_build_object('id', f.id, 'lines', f.lines, 'tracking', f.tracking, 'created_at', f.created_at)::TEXT
		FROM order_fulfilments AS f WHERE f.crdb_region = o.crdb_region AND f.order_id = o.id ORDER BY f.created_at, f.id),
	ARRAY(SELECT jsonb_build_object('id', r.id, 'lines', r.lines, 'state', r.state, 'reason', r.reason, 'note', r.note, 'restocked', r.restocked,
			'refund_id', r.refund_id, 'created_at', r.created_at, 'updated_at', r.updated_at)::TEXT
		FROM order_returns AS r WHERE r.crdb_region = o.crdb_region AND r.order_id = o.id ORDER BY r.created_at, r.id),
	ARRAY(SELECT jsonb_build_object('id', m.id, 'amount', jsonb_build_object('amount', m.amount, 'currency', m.currency), 'state', m.state,
			'reason', m.reason, 'created_at', m.created_at, 'updated_at', m.updated_at)::TEXT
		FROM order_refunds AS m WHERE m.crdb_region = o.crdb_region AND m.order_id = o.id ORDER BY m.created_at, m.id),
	` + orderColumns

const (
	selectWhole  = `SELECT ` + wholeColumns + ` FROM orders AS o WHERE o.crdb_region = $1 AND o.id = $2`
	selectOfCart = `
		SELECT ` + wholeColumns + ` FROM orders AS o
		WHERE o.crdb_region = $1 AND o.cart_id = $2 AND o.id < $3
		ORDER BY o.crdb_region DESC, o.cart_id DESC, o.id DESC LIMIT $4`
	// A user's orders are homed where they bought.
	selectOfUser = `
		SELECT ` + wholeColumns + ` FROM orders AS o
		WHERE o.crdb_region = ANY($1) AND o.user_id = $2 AND o.user_id <> '' AND (o.created_at, o.id) < ($3, $4)
		ORDER BY o.created_at DESC, o.id DESC LIMIT $5`
	// A number is unique in its region only.
	selectNumbered = `SELECT ` + wholeColumns + ` FROM orders AS o WHERE o.crdb_region = ANY($1) AND o.number = $2`
	// The newest of each status and region by its index, and the newest of these.
	selectByStatus = `
		SELECT ` + wholeColumns + ` FROM (
			SELECT n.crdb_region, n.id FROM unnest($1::TEXT[]) AS r(name) CROSS JOIN unnest($2::TEXT[]) AS s(status) CROSS JOIN LATERAL (
				SELECT crdb_region, id, created_at FROM orders
				WHERE crdb_region = r.name::crdb_internal_region AND status = s.status AND (created_at, id) < ($3, $4)
				ORDER BY crdb_region DESC, status DESC, created_at DESC, id DESC LIMIT $5) AS n
			ORDER BY n.created_at DESC, n.id DESC LIMIT $5) AS newest
		JOIN orders AS o ON o.crdb_region = newest.crdb_region AND o.id = newest.id
		ORDER BY o.created_at DESC, o.id DESC`
)

// whole reads one order with what became of it; contract.CodeNotFound when there is none, or it is in the archive.
func (s *store) whole(ctx context.Context, home, id string) (placed, error) {
	var found placed
	err := scanWhole(s.db.QueryRow(ctx, selectWhole, home, id), &found)
	if errors.Is(err, pgx.ErrNoRows) {
		return placed{}, errNoOrder()
	}
	if err != nil {
		return placed{}, fmt.Errorf("read an order: %w", err)
	}
	return found, nil
}

// ofCart lists a cart's orders, newest first, that are older than the id in before ("" for the newest).
func (s *store) ofCart(ctx context.Context, home, cartID, before string, limit int) ([]placed, error) {
	if before == "" {
		before = afterEveryID
	}
	rows, err := s.db.Query(ctx, selectOfCart, home, cartID, before, limit)
	return collectWhole(rows, err)
}

// ofUser lists a user's orders of some regions, newest first, that come after a place in that order: one round trip.
func (s *store) ofUser(ctx context.Context, homes []string, userID string, after place, limit int) ([]placed, error) {
	rows, err := s.db.Query(ctx, selectOfUser, homes, userID, after.at, after.id, limit)
	return collectWhole(rows, err)
}

// numbered finds the orders of a number in some regions.
func (s *store) numbered(ctx context.Context, homes []string, number string) ([]placed, error) {
	rows, err := s.db.Query(ctx, selectNumbered, homes, number)
	return collectWhole(rows, err)
}

// byStatus lists the orders of some regions that are in one of some statuses, newest first, after a place in that order.
func (s *store) byStatus(ctx context.Context, homes, statuses []string, after place, limit int) ([]placed, error) {
	rows, err := s.db.Query(ctx, selectByStatus, homes, statuses, after.at, after.id, limit)
	return collectWhole(rows, err)
}

func collectWhole(rows pgx.Rows, err error) ([]placed, error) {
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	orders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (placed, error) {
		var order placed
		err := scanWhole(row, &order)
		return order, err
	})
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return orders, nil
}

func scanWhole(row pgx.Row, order *placed) error {
	var cancellations, fulfilments, returns, refunds []string
	if err := scanOrder(row, order, &cancellations, &fulfilments, &returns, &refunds); err != nil {
		return err
	}
	if err := errors.Join(
		decodeEach(cancellations, &order.Cancellations), decodeEach(fulfilments, &order.Fulfilments),
		decodeEach(returns, &order.Returns), decodeEach(refunds, &order.Refunds),
	); err != nil {
		return fmt.Errorf("read what became of %s: %w", order.ID, err)
	}
	for i := range order.Cancellations {
		order.Cancellations[i].CreatedAt = order.Cancellations[i].CreatedAt.UTC()
	}
	for i := range order.Fulfilments {
		order.Fulfilments[i].CreatedAt = order.Fulfilments[i].CreatedAt.UTC()
	}
	for i := range order.Returns {
		order.Returns[i].CreatedAt, order.Returns[i].UpdatedAt = order.Returns[i].CreatedAt.UTC(), order.Returns[i].UpdatedAt.UTC()
	}
	for i := range order.Refunds {
		order.Refunds[i].CreatedAt, order.Refunds[i].UpdatedAt = order.Refunds[i].CreatedAt.UTC(), order.Refunds[i].UpdatedAt.UTC()
	}
	if len(order.Refunds) > 0 {
		order.Refunded = &contract.Money{Amount: refunded(order.Order), Currency: order.Total.Currency}
	}
	order.History = append(order.History, afterSale(order.Order)...)
	return nil
}

func decodeEach[T any](rows []string, into *[]T) error {
	for _, row := range rows {
		var item T
		if err := json.Unmarshal([]byte(row), &item); err != nil {
			return err
		}
		*into = append(*into, item)
	}
	return nil
}

// afterSale tells an order's rows as entries of its history, in the order in which they happened.
func afterSale(order contract.Order) []contract.OrderEntry {
	var entries []contract.OrderEntry
	for _, c := range order.Cancellations {
		entries = append(entries, contract.OrderEntry{Step: "cancelled", At: c.CreatedAt})
	}
	for _, f := range order.Fulfilments {
		entries = append(entries, contract.OrderEntry{Step: "fulfilled", At: f.CreatedAt})
	}
	for _, r := range order.Returns {
		entries = append(entries, contract.OrderEntry{Step: "return_requested", At: r.CreatedAt})
		if r.State != contract.ReturnStateRequested {
			entries = append(entries, contract.OrderEntry{Step: "return_" + r.State, At: r.UpdatedAt})
		}
	}
	for _, r := range order.Refunds {
		if r.State != contract.RefundStatePending {
			entries = append(entries, contract.OrderEntry{Step: "refund_" + r.State, At: r.UpdatedAt})
		}
	}
	slices.SortStableFunc(entries, func(a, b contract.OrderEntry) int { return a.At.Compare(b.At) })
	return entries
}
