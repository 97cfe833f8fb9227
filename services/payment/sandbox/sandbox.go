// Package sandbox is a payment provider that moves no money. It keeps a durable ledger, as a real one would, and its tokens play
// what real cards do.
package sandbox

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/sqldb"
	"github.com/meridian-store/meridian/services/payment/provider"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The tokens that the sandbox knows.
const (
	TokenVisa               = "tok_visa"               //nolint:gosec // a public name, not a secret
	TokenDeclined           = "tok_chargeDeclined"     //nolint:gosec // a public name, not a secret
	TokenSlow               = "tok_slow"               //nolint:gosec // a public name, not a secret
	TokenTimeoutAfterCharge = "tok_timeoutAfterCharge" //nolint:gosec // a public name, not a secret
)

// SlowCharge is how long TokenSlow takes.
const SlowCharge = 10 * time.Second

// ReasonDeclined is why TokenDeclined is refused.
const ReasonDeclined = "card_declined"

// Migrations makes the ledger's table.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return sub
}

// Tables are those that Migrations makes, all homed row by row.
func Tables() []string { return []string{"sandbox_charges"} }

// Sandbox is a provider.Provider. Its keys are Meridian ids, whose region is where their rows are.
type Sandbox struct {
	db      *sqldb.DB
	regions map[string]string
	now     func() time.Time
	wait    func(ctx context.Context, how time.Duration) error
}

// Option changes how a sandbox behaves.
type Option func(*Sandbox)

// WithWait replaces the wait of TokenSlow; it returns early with the context's error.
func WithWait(wait func(context.Context, time.Duration) error) Option {
	return func(s *Sandbox) { s.wait = wait }
}

// New makes the sandbox on a database that has its Migrations.
func New(db *sqldb.DB, regions []contract.Region, now func() time.Time, options ...Option) *Sandbox {
	s := &Sandbox{db: db, regions: map[string]string{}, now: now, wait: wait}
	for _, region := range regions {
		s.regions[region.Code] = region.Name
	}
	for _, option := range options {
		option(s)
	}
	return s
}

func wait(ctx context.Context, how time.Duration) error {
	timer := time.NewTimer(how)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// entry is one row of the ledger before it is written.
type entry struct {
	charge provider.Charge
	result provider.Result
}

// Charge plays the token.
func (s *Sandbox) Charge(ctx context.Context, charge provider.Charge) (provider.Result, error) {
	// A repeat is answered from the ledger at once, whatever its token plays.
	if known, found, err := s.Find(ctx, charge.Key); err != nil || found {
		return known, err
	}
	result := provider.Result{ID: "sbx_" + charge.Key, State: provider.Captured}
	switch charge.Token {
	case TokenVisa, TokenTimeoutAfterCharge:
	case TokenDeclined:
		result.State, result.Reason = provider.Declined, ReasonDeclined
	case TokenSlow:
		if err := s.wait(ctx, SlowCharge); err != nil {
			return provider.Result{}, fmt.Errorf("charge slowly: %w", err)
		}
	default:
		return provider.Result{}, provider.ErrInvalidToken
	}
	result, err := s.record(ctx, entry{charge, result})
	if err == nil && charge.Token == TokenTimeoutAfterCharge {
		<-ctx.Done()
		return provider.Result{}, fmt.Errorf("no answer after the charge: %w", ctx.Err())
	}
	return result, err
}

// Cancel leaves a tombstone where there is no charge.
func (s *Sandbox) Cancel(ctx context.Context, key string) (provider.Result, error) {
	return s.record(ctx, entry{provider.Charge{Key: key}, provider.Result{State: provider.Voided}})
}

// Void leaves a tombstone where there is no charge and gives back what was captured.
func (s *Sandbox) Void(ctx context.Context, key string) (provider.Result, error) {
	result, err := s.Cancel(ctx, key)
	if err != nil || result.State != provider.Captured {
		return result, err
	}
	region, err := s.home(key)
	if err != nil {
		return provider.Result{}, err
	}
	_, err = s.db.Exec(ctx, `
		UPDATE sandbox_charges SET state = 'voided', refunded = captured
		WHERE crdb_region = $1 AND key = $2 AND state = 'captured'`, region, key)
	if err != nil {
		return provider.Result{}, fmt.Errorf("refund: %w", err)
	}
	result.State = provider.Voided
	return result, nil
}

// Find reads the ledger.
func (s *Sandbox) Find(ctx context.Context, key string) (provider.Result, bool, error) {
	region, err := s.home(key)
	if err != nil {
		return provider.Result{}, false, err
	}
	var result provider.Result
	err = s.db.QueryRow(ctx, `
		SELECT id, state, reason FROM sandbox_charges WHERE crdb_region = $1 AND key = $2`, region, key,
	).Scan(&result.ID, &result.State, &result.Reason)
	if errors.Is(err, pgx.ErrNoRows) {
		return provider.Result{}, false, nil
	}
	if err != nil {
		return provider.Result{}, false, fmt.Errorf("read the ledger: %w", err)
	}
	return result, true, nil
}

// record writes an entry unless its key has one, and answers what the ledger then says.
func (s *Sandbox) record(ctx context.Context, e entry) (provider.Result, error) {
	region, err := s.home(e.charge.Key)
	if err != nil {
		return provider.Result{}, err
	}
	var captured int64
	if e.result.State == provider.Captured {
		captured = e.charge.Amount.Amount
	}
	_, err = s.db.Exec(ctx, `
		INSERT INTO sandbox_charges (crdb_region, key, id, state, reason, order_id, amount, currency, captured, refunded, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)
		ON CONFLICT (crdb_region, key) DO NOTHING`,
		region, e.charge.Key, e.result.ID, string(e.result.State), e.result.Reason, e.charge.OrderID,
		e.charge.Amount.Amount, e.charge.Amount.Currency, captured, s.now())
	if err != nil {
		return provider.Result{}, fmt.Errorf("write the ledger: %w", err)
	}
	recorded, found, err := s.Find(ctx, e.charge.Key)
	if err == nil && !found {
		err = fmt.Errorf("the ledger lost the charge %s", e.charge.Key)
	}
	return recorded, err
}

func (s *Sandbox) home(key string) (string, error) {
	id, err := geo.ParseID(key)
	if err != nil {
		return "", fmt.Errorf("the charge's key is %w", err)
	}
	region, known := s.regions[id.Region]
	if !known {
		return "", fmt.Errorf("the charge's key names the region %s, which does not exist", id.Region)
	}
	return region, nil
}
