package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// store keeps the rules. They are few, and every region reads all of them nearby.
type store struct{ db *sqldb.DB }

// keptRule is a rule as it is kept, of either kind.
type keptRule struct {
	kind, name string
	terms      json.RawMessage
	version    int64
	updatedAt  time.Time
}

const ruleColumns = `SELECT kind, name, terms, version, updated_at FROM search_rules`

func scanRule(row pgx.CollectableRow) (keptRule, error) {
	var r keptRule
	var terms []byte
	err := row.Scan(&r.kind, &r.name, &terms, &r.version, &r.updatedAt)
	r.terms, r.updatedAt = terms, r.updatedAt.UTC()
	return r, err
}

// all gives every rule.
func (s *store) all(ctx context.Context) ([]keptRule, error) {
	return s.read(ctx, ruleColumns+` ORDER BY kind, name LIMIT $1`, 2*maxRules)
}

// ofKind gives the rules of a kind, by name.
func (s *store) ofKind(ctx context.Context, kind string) ([]keptRule, error) {
	return s.read(ctx, ruleColumns+` WHERE kind = $1 ORDER BY name LIMIT $2`, kind, maxRules)
}

func (s *store) read(ctx context.Context, query string, args ...any) ([]keptRule, error) {
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the rules of searches: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanRule)
	if err != nil {
		return nil, fmt.Errorf("read the rules of searches: %w", err)
	}
	return all, nil
}

func (s *store) rule(ctx context.Context, kind, name string) (keptRule, error) {
	rows, err := s.db.Query(ctx, ruleColumns+` WHERE kind = $1 AND name = $2`, kind, name)
	if err != nil {
		return keptRule{}, fmt.Errorf("read a rule of searches: %w", err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanRule)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, contract.Errorf(contract.CodeNotFound, "there are no %s called %s", kind, name)
	}
	if err != nil {
		return r, fmt.Errorf("read a rule of searches: %w", err)
	}
	return r, nil
}

func errRuleMoved() error {
	return contract.Errorf(contract.CodeStale, "it has changed since it was read")
}

// add writes a rule that was not there.
func (s *store) add(ctx context.Context, r keptRule) error {
	tag, err := s.db.Exec(ctx, `
		INSERT INTO search_rules (kind, name, terms, version, updated_at)
		SELECT $1::TEXT, $2::TEXT, $3::JSONB, $4::INT8, $5::TIMESTAMPTZ WHERE (SELECT count(*) FROM search_rules WHERE kind = $1::TEXT) < $6::INT8`,
		r.kind, r.name, string(r.terms), r.version, r.updatedAt, maxRules)
	switch {
	case sqldb.IsUniqueViolation(err, ""):
		return errRuleMoved()
	case err != nil:
		return fmt.Errorf("add a rule of searches: %w", err)
	case tag.RowsAffected() == 0:
		return contract.Errorf(contract.CodeConflict, "there are %d %s already; delete one", maxRules, r.kind)
	}
	return nil
}

// replace writes a rule over the version before its own.
func (s *store) replace(ctx context.Context, r keptRule) error {
	tag, err := s.db.Exec(ctx, `UPDATE search_rules SET terms = $3::JSONB, version = $4, updated_at = $5 WHERE kind = $1 AND name = $2 AND version = $4 - 1`,
		r.kind, r.name, string(r.terms), r.version, r.updatedAt)
	return moved(tag.RowsAffected(), "replace a rule of searches", err)
}

// remove deletes a version of a rule.
func (s *store) remove(ctx context.Context, r keptRule) error {
	tag, err := s.db.Exec(ctx, `DELETE FROM search_rules WHERE kind = $1 AND name = $2 AND version = $3`, r.kind, r.name, r.version)
	return moved(tag.RowsAffected(), "delete a rule of searches", err)
}

func moved(rows int64, what string, err error) error {
	if err == nil && rows == 0 {
		return errRuleMoved()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
