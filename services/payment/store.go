package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/replication/outbox"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/sqldb"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// store keeps payments in SQL. Each row is changed by single conditional statements, so that no lock outlives a statement but
// the one of settle.
type store struct {
	db     *sqldb.DB
	writer *outbox.Writer
	now    func() time.Time
}

func newStore(db *sqldb.DB, writer *outbox.Writer, now func() time.Time) *store {
	return &store{db: db, writer: writer, now: now}
}

const columns = `crdb_region, saga_id, id, order_id, amount, currency, token_hash, state, reason, voiding, version, created_at`

const insert = `
	INSERT INTO payments (` + columns + `, updated_at, provider_id, next_ask_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', FALSE, $9, $10, $10, '', $11)
	ON CONFLICT (crdb_region, saga_id) `

// open writes a saga's payment if it has none, and gives the one that it then has. due is when the provider is asked about it
// unless it is settled before; nil when nothing is open. One round trip, one commit; two round trips for a repeat.
func (s *store) open(ctx context.Context, p payment, due *time.Time) (payment, error) {
	return s.insertOr(ctx, `DO NOTHING`, p, due)
}

// openVoid writes a tombstone if the saga has no payment, and marks one that is pending or captured as being voided.
func (s *store) openVoid(ctx context.Context, tombstone payment, due *time.Time) (payment, error) {
	// The tombstone itself has nothing open; $12 is for the row that may be there already.
	return s.insertOr(ctx, `DO UPDATE SET voiding = TRUE, next_ask_at = $12, updated_at = $10
		WHERE payments.state IN ('pending', 'captured')`, tombstone, nil, due)
}

func (s *store) insertOr(ctx context.Context, onConflict string, p payment, due *time.Time, more ...any) (payment, error) {
	args := append([]any{
		p.region, p.SagaID, p.ID, p.OrderID, p.Amount.Amount, p.Amount.Currency, p.tokenHash, p.State, p.version, s.now(), due,
	}, more...)
	found, ok, err := s.readOne(ctx, s.db, insert+onConflict+` RETURNING `+columns, args...)
	if err == nil && !ok {
		if found, ok, err = s.find(ctx, p.region, p.SagaID); err == nil && !ok {
			err = errors.New("its row went away")
		}
	}
	if err != nil {
		return payment{}, fmt.Errorf("open the payment of %s: %w", p.SagaID, err)
	}
	return found, nil
}

// find reads a saga's payment; false when it has none. One round trip in the saga's home.
func (s *store) find(ctx context.Context, region, sagaID string) (payment, bool, error) {
	return s.readOne(ctx, s.db, `SELECT `+columns+` FROM payments WHERE crdb_region = $1 AND saga_id = $2`, region, sagaID)
}

// settle records what the provider answered, with its event: begin, update, event, commit. changed is false, and the payment as
// it is, when the answer no longer applies: a capture while it is being voided is not recorded, because the void goes on.
func (s *store) settle(ctx context.Context, p payment, result provider.Result) (settled payment, changed bool, err error) {
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		var err error
		settled, changed, err = s.readOne(ctx, tx, `
			UPDATE payments SET state = $3, reason = $4, provider_id = $5, voiding = FALSE, version = version + 1,
				next_ask_at = NULL, updated_at = $6
			WHERE crdb_region = $1 AND saga_id = $2 AND (
				(state = 'pending' AND ($3 <> 'captured' OR NOT voiding)) OR (state = 'captured' AND $3 = 'voided')
			) RETURNING `+columns, p.region, p.SagaID, string(result.State), result.Reason, result.ID, s.now())
		if err != nil || !changed {
			return err
		}
		return s.writer.Append(ctx, tx, outbox.Draft{
			Topic: contract.TopicPayments, Type: eventOf(result.State), Aggregate: settled.ID, Version: settled.version,
			Data: contract.PaymentChange{
				PaymentID: settled.ID, SagaID: settled.SagaID, OrderID: settled.OrderID, Amount: settled.Amount, Reason: settled.Reason,
			},
		})
	})
	if err != nil {
		return payment{}, false, err
	}
	if changed {
		s.writer.Wake()
		return settled, true, nil
	}
	settled, found, err := s.find(ctx, p.region, p.SagaID)
	if err == nil && !found {
		err = errors.New("its row went away")
	}
	return settled, false, err
}

// due gives open payments of some regions that were to be asked about before a time, longest first.
func (s *store) due(ctx context.Context, regions []string, before time.Time, limit int) ([]payment, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+columns+` FROM payments WHERE crdb_region = ANY($1) AND next_ask_at <= $2
		ORDER BY next_ask_at LIMIT $3`, regions, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read open payments: %w", err)
	}
	open, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read open payments: %w", err)
	}
	return open, nil
}

// postpone moves the next question about a payment that is still open.
func (s *store) postpone(ctx context.Context, p payment, until time.Time) error {
	_, err := s.db.Exec(ctx, `
		UPDATE payments SET next_ask_at = $3 WHERE crdb_region = $1 AND saga_id = $2 AND next_ask_at IS NOT NULL`,
		p.region, p.SagaID, until)
	if err != nil {
		return fmt.Errorf("postpone the question about %s: %w", p.ID, err)
	}
	return nil
}

// querier is what reads need: the pool, or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// readOne runs a statement that gives one payment or none.
func (s *store) readOne(ctx context.Context, on querier, query string, args ...any) (payment, bool, error) {
	rows, err := on.Query(ctx, query, args...)
	if err != nil {
		return payment{}, false, err
	}
	p, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return payment{}, false, nil
	}
	return p, err == nil, err
}

func scan(row pgx.CollectableRow) (payment, error) {
	var p payment
	err := row.Scan(&p.region, &p.SagaID, &p.ID, &p.OrderID, &p.Amount.Amount, &p.Amount.Currency, &p.tokenHash,
		&p.State, &p.Reason, &p.voiding, &p.version, &p.createdAt)
	return p, err
}
