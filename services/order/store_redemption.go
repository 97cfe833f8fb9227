package order

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// use is one use of a promotion that an order makes: of its uses by all when customer is "", of one customer's otherwise.
type use struct {
	home, promotionID, customer string
	limit                       int64
}

// usesOf lists the uses that an order with a quote makes, in the one order in which everybody locks them.
func usesOf(quote contract.Quote, all []kept, customer string) []use {
	var uses []use
	for _, applied := range quote.Promotions {
		i := slices.IndexFunc(all, func(k kept) bool { return k.ID == applied.ID })
		if all[i].UseLimit > 0 {
			uses = append(uses, use{home: all[i].home, promotionID: applied.ID, limit: all[i].UseLimit})
		}
		if all[i].CustomerLimit > 0 {
			uses = append(uses, use{home: all[i].home, promotionID: applied.ID, customer: customer, limit: all[i].CustomerLimit})
		}
	}
	slices.SortFunc(uses, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.promotionID, b.promotionID), cmp.Compare(a.customer, b.customer))
	})
	return uses
}

// errUsedUp says that a promotion's last use went to another order since it was quoted.
var errUsedUp = errors.New("a promotion is used up")

// isUsedUp knows the refusal of a use over the limit.
func isUsedUp(err error) bool {
	refusal, ok := sqldb.AsPgError(err)
	return ok && refusal.Code == "23514" && refusal.ConstraintName == "promotion_uses_within_limit"
}

// collided says that a statement lost to others and may be made again.
func collided(err error) bool {
	refusal, ok := sqldb.AsPgError(err)
	return ok && (refusal.Code == "40001" || refusal.Code == "40P01")
}

// counting gives the part of the statement that opens a saga which counts an order's uses, and the arguments with what it needs. A use
// over its limit refuses the whole statement. $1 is the order's home and $2 its id. The locks on the counters last as long as this one
// statement does.
func counting(args []any, uses []use) (string, []any) {
	if len(uses) == 0 {
		return "", args
	}
	var homes, promotions, customers []string
	var limits []int64
	for _, u := range uses {
		homes, promotions, customers, limits = append(homes, u.home), append(promotions, u.promotionID), append(customers, u.customer), append(limits, u.limit)
	}
	n := len(args)
	return fmt.Sprintf(`, counted AS (
		INSERT INTO promotion_uses (crdb_region, promotion_id, customer, used, use_limit)
		SELECT u.home::crdb_internal_region, u.promotion_id, u.customer, 1, u.use_limit
		FROM unnest($%d::TEXT[], $%d::TEXT[], $%d::TEXT[], $%d::INT8[]) AS u(home, promotion_id, customer, use_limit)
		ON CONFLICT (crdb_region, promotion_id, customer) DO UPDATE SET used = promotion_uses.used + 1, use_limit = excluded.use_limit
		RETURNING promotion_id
	), redeemed AS (
		INSERT INTO promotion_redemptions (crdb_region, order_id, promotion_id, customer, home)
		SELECT $1, $2, u.promotion_id, u.customer, u.home
		FROM unnest($%d::TEXT[], $%d::TEXT[], $%d::TEXT[]) AS u(home, promotion_id, customer)
		RETURNING promotion_id
	)`, n+1, n+2, n+3, n+4, n+1, n+2, n+3), append(args, homes, promotions, customers, limits)
}

// givingBack uncounts the uses of the orders in the statement's `held`, whose home is $1. What was given back before, or was never
// counted, changes nothing.
const givingBack = `, given AS (
	DELETE FROM promotion_redemptions WHERE crdb_region = $1 AND order_id IN (SELECT order_id FROM held)
	RETURNING home, promotion_id, customer
), uncounted AS (
	UPDATE promotion_uses AS u SET used = u.used - 1 FROM given
	WHERE u.crdb_region = given.home::crdb_internal_region AND u.promotion_id = given.promotion_id AND u.customer = given.customer
	RETURNING u.promotion_id
)`

// giveBackUses lets others have the uses that an order made, in the transaction that cancels it; again changes nothing: one round trip.
func giveBackUses(ctx context.Context, tx pgx.Tx, home, orderID string) error {
	if _, err := tx.Exec(ctx, `WITH held AS (SELECT $2::TEXT AS order_id)`+givingBack+` SELECT count(*) FROM uncounted`, home, orderID); err != nil {
		return fmt.Errorf("give the uses of promotions back: %w", err)
	}
	return nil
}
