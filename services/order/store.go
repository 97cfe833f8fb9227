package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// store keeps orders and sagas. Every query names the region whose rows it touches.
//
// What a checkout costs, whatever its number of lines (asserted in cost_test.go):
//
//	confirmed                     6 round trips, 2 commits: look up the key (1), open (1), confirm (begin, write, event, commit)
//	out of stock                  6 round trips, 2 commits: the same, with fail in place of confirm
//	declined                      7 round trips, 3 commits: the turn between open and fail (1)
//	a repeat of what has ended    1 round trip, no commit
//
// and a renewal of the lease (1, 1) for each second that it lasts longer. Uses of promotions are counted and given back within these;
// pricing the cart reads promotions (1) beside the catalog's prices when it has codes or there are automatic ones with limits. On CockroachDB across regions, latency is therefore
// two commits' quorum round trips beside those of inventory and payment.
type store struct {
	db    *sqldb.DB
	lease time.Duration
}

// numberAttempts is how often an order number that is taken is made anew: one in 2^40 is.
const numberAttempts = 5

func errAlreadyBought() error {
	return contract.Errorf(contract.CodeConflict, "this cart has been bought, or is being bought under another %s; change the cart to buy again", contract.HeaderIdempotencyKey)
}

// errBought says that the cart as it was read still holds the goods of an order, which is running or confirmed.
var errBought = errors.New("the cart holds the goods of an order")

// open writes the pending order, its saga and the idempotency key in one statement: one round trip, one commit. Another live
// saga of the cart is contract.CodeConflict; so is a key that another request has just taken. A cart that has not given up the
// goods of the order before is errBought; a promotion that has no use left is errUsedUp.
func (s *store) open(ctx context.Context, sg saga, order *placed, config Config, holder string) error {
	quote, err := json.Marshal(order.Quote)
	if err != nil {
		return fmt.Errorf("encode the quote: %w", err)
	}
	address, err := json.Marshal(order.ShippingAddress)
	if err != nil {
		return fmt.Errorf("encode the address: %w", err)
	}
	args := []any{
		sg.home, order.ID, order.Number, sg.id, sg.cartID, order.cartVersion, order.owner, order.version, string(quote),
		order.Email, string(address), order.CreatedAt, sg.key, sg.requestHash,
		holder, config.Lease.Seconds(), config.Forward.Seconds(), sg.token, order.userID, order.follows,
	}
	count, args := counting(args, order.uses)
	for attempt := 1; ; attempt++ {
		args[2] = order.Number
		_, err = s.db.Exec(ctx, `
			WITH placed AS (
				INSERT INTO orders (crdb_region, id, number, saga_id, cart_id, cart_version, owner_hash, status, reason, version, quote,
					payment_id, email, shipping_address, answer_status, answer_body, created_at, updated_at, user_id, follows)
				VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', '', $8, $9::JSONB, '', $10, $11::JSONB, 0, ''::BYTEA, $12, $12, $19, $20)
				RETURNING id
			), opened AS (
				INSERT INTO sagas (crdb_region, id, cart_id, idempotency_key, request_hash, order_id, state, direction, step, epoch,
					lease_holder, lease_until, deadline, payment_token, created_at)
				VALUES ($1, $4, $5, $13, $14, $2, 'running', 'forward', 'reserve', 1,
					$15, now() + $16::FLOAT8 * INTERVAL '1 second', now() + $17::FLOAT8 * INTERVAL '1 second', $18, $12)
				RETURNING id
			)`+count+`
			INSERT INTO saga_steps (crdb_region, saga_id, epoch, seq, step, outcome, at)
			VALUES ($1, $4, 1, 1, 'open', 'opened', $12)`, args...)
		if sqldb.IsUniqueViolation(err, "orders_number") && attempt < numberAttempts {
			order.Number = newNumber()
			continue
		}
		if collided(err) && attempt < numberAttempts {
			continue
		}
		break
	}
	if isUsedUp(err) {
		return errUsedUp
	}
	if sqldb.IsUniqueViolation(err, "orders_follow_once") {
		return errBought
	}
	if sqldb.IsUniqueViolation(err, "sagas_key") || sqldb.IsUniqueViolation(err, "sagas_running_of_cart") {
		return errAlreadyBought()
	}
	if err != nil {
		return fmt.Errorf("open the saga: %w", err)
	}
	return nil
}
