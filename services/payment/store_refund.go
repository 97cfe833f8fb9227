package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// refund is a refund of a saga's payment with what never leaves the service.
type refund struct {
	contract.Refund
	region string
	// at is the provider's name for it, intentID that of its charge; at is empty until the provider has answered.
	at, intentID string
	createdAt    time.Time
}

const refundColumns = `crdb_region, saga_id, id, amount, currency, state, reason, provider_id, intent_id, created_at`

// errRefused says that a payment can not give back what a refund asks for.
var errRefused = errors.New("the payment can not give that back")

// openRefund takes a refund's amount off what its payment may still give back, and writes the refund, both or neither. The refund
// that comes back is the one of that id, made now or before. errRefused when the payment has not so much to give.
func (s *store) openRefund(ctx context.Context, r refund, due time.Time) (refund, error) {
	var opened refund
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		var fresh bool
		var err error
		opened, fresh, err = one(ctx, tx, scanRefund, `
			INSERT INTO refunds (`+refundColumns+`, updated_at, next_ask_at)
			SELECT crdb_region, saga_id, $3::TEXT, $4::INT8, $5::TEXT, 'pending', '', '', provider_id, $6::TIMESTAMPTZ, $6::TIMESTAMPTZ, $7::TIMESTAMPTZ
			FROM payments WHERE crdb_region = $1 AND saga_id = $2
			ON CONFLICT (crdb_region, saga_id, id) DO NOTHING RETURNING `+refundColumns,
			r.region, r.SagaID, r.ID, r.Amount.Amount, r.Amount.Currency, s.now(), due)
		if err != nil || !fresh {
			return err
		}
		_, taken, err := s.readOne(ctx, tx, `
			UPDATE payments SET refunded = refunded + $3, updated_at = $5
			WHERE crdb_region = $1 AND saga_id = $2 AND state = 'captured' AND NOT voiding AND currency = $4 AND refunded + $3 <= amount
			RETURNING `+columns, r.region, r.SagaID, r.Amount.Amount, r.Amount.Currency, s.now())
		if err == nil && !taken {
			return errRefused // which takes the refund's row back too
		}
		return err
	})
	if err != nil || opened.ID != "" {
		return opened, err
	}
	found, exists, err := s.findRefund(ctx, r.region, r.SagaID, r.ID)
	if err == nil && !exists {
		err = errRefused // there is no payment at all
	}
	return found, err
}

// findRefund reads a refund; false when there is none.
func (s *store) findRefund(ctx context.Context, region, sagaID, id string) (refund, bool, error) {
	return one(ctx, s.db, scanRefund, `
		SELECT `+refundColumns+` FROM refunds WHERE crdb_region = $1 AND saga_id = $2 AND id = $3`, region, sagaID, id)
}

// settleRefund records what the provider answered about a refund, with its event. One that failed gives its amount back to what may
// be refunded, also when it had succeeded before: banks send money back days later. changed is false when it is on record already.
func (s *store) settleRefund(ctx context.Context, r refund) (changed bool, err error) {
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		var err error
		_, changed, err = one(ctx, tx, scanRefund, `
			UPDATE refunds SET state = $4, reason = $5, provider_id = $6, next_ask_at = NULL, updated_at = $7
			WHERE crdb_region = $1 AND saga_id = $2 AND id = $3 AND (state = 'pending' OR (state = 'succeeded' AND $4 = 'failed'))
			RETURNING `+refundColumns, r.region, r.SagaID, r.ID, r.State, r.Reason, r.at, s.now())
		if err != nil || !changed {
			return err
		}
		var back int64
		event := contract.PaymentRefunded
		if r.State == contract.RefundStateFailed {
			back, event = r.Amount.Amount, contract.PaymentRefundFailed
		}
		p, found, err := s.readOne(ctx, tx, `
			UPDATE payments SET refunded = refunded - $3, version = version + 1, updated_at = $4
			WHERE crdb_region = $1 AND saga_id = $2 RETURNING `+columns, r.region, r.SagaID, back, s.now())
		if err == nil && !found {
			err = errors.New("its payment went away")
		}
		if err != nil {
			return err
		}
		return s.announce(ctx, tx, p, event, r.ID)
	})
	if err != nil {
		return false, fmt.Errorf("settle the refund %s: %w", r.ID, err)
	}
	if changed {
		s.writer.Wake()
	}
	return changed, nil
}

// dueRefunds gives open refunds of some regions that were to be asked about before a time, longest first.
func (s *store) dueRefunds(ctx context.Context, regions []string, before time.Time, limit int) ([]refund, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+refundColumns+` FROM refunds WHERE crdb_region = ANY($1) AND next_ask_at <= $2
		ORDER BY next_ask_at LIMIT $3`, regions, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read open refunds: %w", err)
	}
	open, err := pgx.CollectRows(rows, scanRefund)
	if err != nil {
		return nil, fmt.Errorf("read open refunds: %w", err)
	}
	return open, nil
}

// postponeRefund moves the next question about a refund that is still open, and keeps the provider's name for it.
func (s *store) postponeRefund(ctx context.Context, r refund, until time.Time) error {
	_, err := s.db.Exec(ctx, `
		UPDATE refunds SET next_ask_at = $4, provider_id = $5 WHERE crdb_region = $1 AND saga_id = $2 AND id = $3 AND next_ask_at IS NOT NULL`,
		r.region, r.SagaID, r.ID, until, r.at)
	if err != nil {
		return fmt.Errorf("postpone the question about %s: %w", r.ID, err)
	}
	return nil
}

func scanRefund(row pgx.CollectableRow) (refund, error) {
	var r refund
	err := row.Scan(&r.region, &r.SagaID, &r.ID, &r.Amount.Amount, &r.Amount.Currency, &r.State, &r.Reason, &r.at, &r.intentID, &r.createdAt)
	return r, err
}
