package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
)

// store keeps payments in SQL. Each row is changed by single conditional statements, so that no lock outlives a statement but
// those of what is announced.
type store struct {
	db     *sqldb.DB
	writer *outbox.Writer
	homes  map[string]geo.Region
	now    func() time.Time
}

func newStore(db *sqldb.DB, writer *outbox.Writer, regions []contract.Region, now func() time.Time) *store {
	s := &store{db: db, writer: writer, homes: map[string]geo.Region{}, now: now}
	for _, region := range regions {
		s.homes[region.Name] = region.Region
	}
	return s
}

const columns = `crdb_region, saga_id, id, order_id, amount, currency, token_hash, state, reason, voiding, version, created_at, provider_id, refunded`

const insert = `
	INSERT INTO payments (` + columns + `, updated_at, next_ask_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, FALSE, $10, $11, $12, 0, $11, $13)
	ON CONFLICT (crdb_region, saga_id) `

func (s *store) values(p payment, due *time.Time) []any {
	return []any{
		p.region, p.SagaID, p.ID, p.OrderID, p.Amount.Amount, p.Amount.Currency, p.tokenHash, p.State, p.Reason, p.version, s.now(), p.intentID, due,
	}
}

// open writes a saga's payment if it has none, and gives the one that it then has. due is when the provider is asked about it
// unless it is settled before; nil when nothing is open. One round trip, one commit; two round trips for a repeat.
func (s *store) open(ctx context.Context, p payment, due *time.Time) (payment, error) {
	return s.insertOr(ctx, `DO NOTHING`, p, due)
}

// openVoid writes a tombstone if the saga has no payment, and marks one that is pending or captured as being voided.
func (s *store) openVoid(ctx context.Context, tombstone payment, due *time.Time) (payment, error) {
	// The tombstone itself has nothing open; $14 is for the row that may be there already.
	return s.insertOr(ctx, `DO UPDATE SET voiding = TRUE, next_ask_at = $14, updated_at = $11
		WHERE payments.state IN ('pending', 'captured')`, tombstone, nil, due)
}

func (s *store) insertOr(ctx context.Context, onConflict string, p payment, due *time.Time, more ...any) (payment, error) {
	found, ok, err := s.readOne(ctx, s.db, insert+onConflict+` RETURNING `+columns, append(s.values(p, due), more...)...)
	if err == nil && !ok {
		found, err = s.mustFind(ctx, p)
	}
	if err != nil {
		return payment{}, fmt.Errorf("open the payment of %s: %w", p.SagaID, err)
	}
	return found, nil
}

// openSettled writes a payment that needs no provider, with its event, if the saga has none; otherwise it gives that one, and changed
// is false.
func (s *store) openSettled(ctx context.Context, p payment) (settled payment, changed bool, err error) {
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		var err error
		settled, changed, err = s.readOne(ctx, tx, insert+`DO NOTHING RETURNING `+columns, s.values(p, nil)...)
		if err != nil || !changed {
			return err
		}
		return s.announce(ctx, tx, settled, eventOf(settled.State), "")
	})
	if err != nil {
		return payment{}, false, fmt.Errorf("open the payment of %s: %w", p.SagaID, err)
	}
	if changed {
		s.writer.Wake()
		return settled, true, nil
	}
	settled, err = s.mustFind(ctx, p)
	return settled, false, err
}

// find reads a saga's payment; false when it has none. One round trip in the saga's home.
func (s *store) find(ctx context.Context, region, sagaID string) (payment, bool, error) {
	return s.readOne(ctx, s.db, `SELECT `+columns+` FROM payments WHERE crdb_region = $1 AND saga_id = $2`, region, sagaID)
}

func (s *store) mustFind(ctx context.Context, p payment) (payment, error) {
	found, ok, err := s.find(ctx, p.region, p.SagaID)
	if err == nil && !ok {
		err = errors.New("its row went away")
	}
	return found, err
}

// settle records what the provider answered, with its event: begin, update, event, commit. changed is false, and the payment as
// it is, when the answer no longer applies: a capture while it is being voided is not recorded, because the void goes on.
func (s *store) settle(ctx context.Context, p payment, told result) (settled payment, changed bool, err error) {
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		var err error
		settled, changed, err = s.readOne(ctx, tx, `
			UPDATE payments SET state = $3, reason = $4, refunded = $5, voiding = FALSE, version = version + 1, next_ask_at = NULL, updated_at = $6
			WHERE crdb_region = $1 AND saga_id = $2 AND (
				(state = 'pending' AND ($3 <> 'captured' OR NOT voiding)) OR (state = 'captured' AND $3 = 'voided' AND voiding)
			) RETURNING `+columns, p.region, p.SagaID, told.state, told.reason, told.refunded, s.now())
		if err != nil || !changed {
			return err
		}
		return s.announce(ctx, tx, settled, eventOf(told.state), "")
	})
	if err != nil {
		return payment{}, false, err
	}
	if changed {
		s.writer.Wake()
		return settled, true, nil
	}
	settled, err = s.mustFind(ctx, p)
	return settled, false, err
}

// announce writes an event of a payment; refundID names the refund that it is about, if any.
func (s *store) announce(ctx context.Context, tx pgx.Tx, p payment, event, refundID string) error {
	change := contract.PaymentChange{
		PaymentID: p.ID, SagaID: p.SagaID, OrderID: p.OrderID, Amount: p.Amount, Reason: p.Reason, RefundID: refundID,
	}
	if p.Refunded.Amount > 0 || refundID != "" {
		change.Refunded = p.Refunded
	}
	return s.writer.Append(ctx, tx, outbox.Draft{
		Topic: contract.TopicPayments, Type: event, Aggregate: p.ID, Version: p.version, Data: change,
		// A webhook, or the end of a region, has any region settle the payment; its saga listens at home.
		Home: s.homes[p.region],
	})
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
	return one(ctx, on, scan, query, args...)
}

func one[T any](ctx context.Context, on querier, scan pgx.RowToFunc[T], query string, args ...any) (T, bool, error) {
	var none T
	rows, err := on.Query(ctx, query, args...)
	if err != nil {
		return none, false, err
	}
	found, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return none, false, nil
	}
	return found, err == nil, err
}

func scan(row pgx.CollectableRow) (payment, error) {
	var p payment
	err := row.Scan(&p.region, &p.SagaID, &p.ID, &p.OrderID, &p.Amount.Amount, &p.Amount.Currency, &p.tokenHash,
		&p.State, &p.Reason, &p.voiding, &p.version, &p.createdAt, &p.intentID, &p.Refunded.Amount)
	p.Refunded.Currency = p.Amount.Currency
	return p, err
}
