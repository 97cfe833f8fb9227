package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
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
	selectOrder     = `SELECT ` + orderColumns + ` FROM orders AS o WHERE o.crdb_region = $1 AND o.id = $2`
	selectFollowing = `
		SELECT ` + orderColumns + ` FROM orders AS o
		WHERE o.crdb_region = $1 AND o.cart_id = $2 AND o.follows = $3 AND o.status <> 'failed'`
)

// afterEveryID sorts behind every order's id, in any collation.
const afterEveryID = "ord_zzz_ZZZZZZZZZZZZZZZZZZZZZZZZZZ"

// prior is what an idempotency key was used for.
type prior struct {
	requestHash []byte
	state       string
	order       placed
}

// following finds the order that follows another in a cart's chain ("" for the first); nil when there is none.
func (s *store) following(ctx context.Context, home, cartID, follows string) (*placed, error) {
	var found placed
	err := scanOrder(s.db.QueryRow(ctx, selectFollowing, home, cartID, follows), &found)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a cart's next order: %w", err)
	}
	return &found, nil
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
