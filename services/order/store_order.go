package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/services/contract"
)

// orderColumns are read by scanOrder; the history comes with its order in one round trip.
const orderColumns = `o.id, o.number, o.saga_id, o.cart_id, o.cart_version, o.owner_hash, o.user_id, o.status, o.reason, o.version, o.quote,
	o.payment_id, o.email, o.shipping_address, o.answer_status, o.answer_body, o.created_at, o.updated_at,
	ARRAY(SELECT h.outcome FROM saga_steps AS h WHERE h.crdb_region = o.crdb_region AND h.saga_id = o.saga_id ORDER BY h.epoch, h.seq),
	ARRAY(SELECT h.at FROM saga_steps AS h WHERE h.crdb_region = o.crdb_region AND h.saga_id = o.saga_id ORDER BY h.epoch, h.seq)`

const (
	selectByKey = `
		SELECT s.request_hash, s.state, ` + orderColumns + `
		FROM sagas AS s JOIN orders AS o ON o.crdb_region = s.crdb_region AND o.id = s.order_id
		WHERE s.crdb_region = $1 AND s.cart_id = $2 AND s.idempotency_key = $3`
	selectOrder  = `SELECT ` + orderColumns + ` FROM orders AS o WHERE o.crdb_region = $1 AND o.id = $2`
	selectOfCart = `
		SELECT ` + orderColumns + ` FROM orders AS o
		WHERE o.crdb_region = $1 AND o.cart_id = $2 AND o.id < $3
		ORDER BY o.crdb_region DESC, o.cart_id DESC, o.id DESC LIMIT $4`
	// A user's orders are homed where they bought.
	selectOfUser = `
		SELECT ` + orderColumns + ` FROM orders AS o
		WHERE o.crdb_region = ANY($1) AND o.user_id = $2 AND o.user_id <> '' AND (o.created_at, o.id) < ($3, $4)
		ORDER BY o.created_at DESC, o.id DESC LIMIT $5`
)

// afterEveryID sorts behind every order's id, in any collation.
const afterEveryID = "ord_zzz_ZZZZZZZZZZZZZZZZZZZZZZZZZZ"

// prior is what an idempotency key was used for.
type prior struct {
	requestHash []byte
	state       string
	order       placed
}

// byKey finds what a key was used for; nil when it was not.
func (s *store) byKey(ctx context.Context, home, cartID, key string) (*prior, error) {
	var found prior
	row := s.db.QueryRow(ctx, selectByKey, home, cartID, key)
	err := scanOrder(row, &found.order, &found.requestHash, &found.state)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look the key up: %w", err)
	}
	return &found, nil
}

// order reads one order; contract.CodeNotFound when there is none.
func (s *store) order(ctx context.Context, home, id string) (placed, error) {
	var found placed
	row := s.db.QueryRow(ctx, selectOrder, home, id)
	err := scanOrder(row, &found)
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
	return collectOrders(rows, err)
}

// ofUser lists a user's orders of some regions, newest first, that come after a place in that order: one round trip.
func (s *store) ofUser(ctx context.Context, homes []string, userID string, after place, limit int) ([]placed, error) {
	rows, err := s.db.Query(ctx, selectOfUser, homes, userID, after.at, after.id, limit)
	return collectOrders(rows, err)
}

func collectOrders(rows pgx.Rows, err error) ([]placed, error) {
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	orders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (placed, error) {
		var order placed
		err := scanOrder(row, &order)
		return order, err
	})
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return orders, nil
}

func scanOrder(row pgx.Row, order *placed, before ...any) error {
	var quote, address []byte
	var outcomes []string
	var times []time.Time
	columns := append(before, &order.ID, &order.Number, &order.sagaID, &order.cartID, &order.cartVersion, &order.owner, &order.userID, &order.Status, &order.Reason,
		&order.version, &quote, &order.PaymentID, &order.Email, &address, &order.answer.status, &order.answer.body, &order.CreatedAt, &order.UpdatedAt,
		&outcomes, &times)
	if err := row.Scan(columns...); err != nil {
		return err
	}
	if err := json.Unmarshal(quote, &order.Quote); err != nil {
		return fmt.Errorf("read the quote of %s: %w", order.ID, err)
	}
	if err := json.Unmarshal(address, &order.ShippingAddress); err != nil {
		return fmt.Errorf("read the address of %s: %w", order.ID, err)
	}
	order.Total = order.Quote.Total
	order.CreatedAt, order.UpdatedAt = order.CreatedAt.UTC(), order.UpdatedAt.UTC()
	order.History = make([]contract.OrderEntry, 0, len(outcomes))
	for i, outcome := range outcomes {
		order.History = append(order.History, contract.OrderEntry{Step: outcome, At: times[i].UTC()})
	}
	return nil
}
