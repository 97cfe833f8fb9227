package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/services/order/promotion"
)

const (
	// An automatic promotion has the code ''. The uses are read only where there is a limit, because only then there are rows.
	selectOffered = `
		SELECT p.id, p.home, p.terms, COALESCE(a.used, 0), COALESCE(c.used, 0)
		FROM promotions AS p
		LEFT JOIN promotion_uses AS a ON a.crdb_region = p.home::crdb_internal_region AND a.promotion_id = p.id AND a.customer = ''
		LEFT JOIN promotion_uses AS c ON c.crdb_region = p.home::crdb_internal_region AND c.promotion_id = p.id AND c.customer = $2 AND $2 <> ''
		WHERE p.code = ANY($1) AND (p.code <> '' OR p.ends_at IS NULL OR p.ends_at > $3)`
	promotionColumns = `p.id, p.home, p.terms, p.version, p.created_at, p.updated_at, COALESCE(a.used, 0)
		FROM promotions AS p
		LEFT JOIN promotion_uses AS a ON a.crdb_region = p.home::crdb_internal_region AND a.promotion_id = p.id AND a.customer = ''`
	selectPromotion  = `SELECT ` + promotionColumns + ` WHERE p.id = $1`
	selectPromotions = `SELECT ` + promotionColumns + ` WHERE p.id < $1 ORDER BY p.id DESC LIMIT $2`
)

// afterEveryPromotion sorts behind every promotion's id, in any collation.
const afterEveryPromotion = "prm_zzz_ZZZZZZZZZZZZZZZZZZZZZZZZZZ"

// offered reads the automatic promotions that are not over and those of codes, and how much a customer may still use them: one round trip.
func (s *store) offered(ctx context.Context, codes []string, customer string, now time.Time) ([]kept, error) {
	rows, err := s.db.Query(ctx, selectOffered, append([]string{""}, codes...), customer, now)
	if err != nil {
		return nil, fmt.Errorf("read the promotions: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (kept, error) {
		var k kept
		var terms []byte
		var used, ofCustomer int64
		if err := row.Scan(&k.ID, &k.home, &terms, &used, &ofCustomer); err != nil {
			return k, err
		}
		if err := json.Unmarshal(terms, &k.Promotion); err != nil {
			return k, fmt.Errorf("%s: %w", k.ID, err)
		}
		k.UsedUp = k.UseLimit > 0 && used >= k.UseLimit
		k.CustomerUsedUp = k.CustomerLimit > 0 && ofCustomer >= k.CustomerLimit
		return k, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the promotions: %w", err)
	}
	return all, nil
}

// automatic counts the automatic promotions that are not over.
func (s *store) automatic(ctx context.Context, now time.Time) (int, error) {
	var n int
	err := s.db.QueryRow(ctx, `SELECT count(*) FROM promotions WHERE code = '' AND (ends_at IS NULL OR ends_at > $1)`, now).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the automatic promotions: %w", err)
	}
	return n, nil
}

func errCodeTaken(code string) error {
	return contract.Errorf(contract.CodeConflict, "another promotion has the code %s", code)
}

func (s *store) addPromotion(ctx context.Context, r PromotionRecord) error {
	terms, err := json.Marshal(r.Promotion)
	if err != nil {
		return fmt.Errorf("encode a promotion: %w", err)
	}
	_, err = s.db.Exec(ctx, `
		INSERT INTO promotions (id, code, home, starts_at, ends_at, terms, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6::JSONB, $7, $8, $8)`,
		r.ID, r.Code, r.Region, r.StartsAt, r.EndsAt, string(terms), r.Version, r.CreatedAt)
	return asPromotionError("add a promotion", r.Code, err)
}

// replacePromotion writes a promotion over the version before its own; contract.CodeStale when that is not the newest any more.
func (s *store) replacePromotion(ctx context.Context, r PromotionRecord) error {
	terms, err := json.Marshal(r.Promotion)
	if err != nil {
		return fmt.Errorf("encode a promotion: %w", err)
	}
	tag, err := s.db.Exec(ctx, `
		UPDATE promotions SET code = $2, starts_at = $3, ends_at = $4, terms = $5::JSONB, version = $6, updated_at = $7 WHERE id = $1 AND version = $6 - 1`,
		r.ID, r.Code, r.StartsAt, r.EndsAt, string(terms), r.Version, r.UpdatedAt)
	if err == nil && tag.RowsAffected() == 0 {
		return errPromotionMoved()
	}
	return asPromotionError("replace a promotion", r.Code, err)
}

func errPromotionMoved() error {
	return contract.Errorf(contract.CodeStale, "the promotion has changed since it was read")
}

func asPromotionError(what, code string, err error) error {
	if sqldb.IsUniqueViolation(err, "promotions_code") {
		return errCodeTaken(code)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// removePromotion deletes a version of a promotion, and who has used it, in every region. Orders that did keep what they were given.
func (s *store) removePromotion(ctx context.Context, r PromotionRecord, regions []string) error {
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM promotions WHERE id = $1 AND version = $2`, r.ID, r.Version)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errPromotionMoved()
		}
		if _, err := tx.Exec(ctx, `DELETE FROM promotion_uses WHERE crdb_region = $1 AND promotion_id = $2`, r.Region, r.ID); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM promotion_redemptions WHERE crdb_region = ANY($1) AND promotion_id = $2`, regions, r.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete a promotion: %w", err)
	}
	return nil
}

func (s *store) promotion(ctx context.Context, id string) (PromotionRecord, error) {
	record, err := scanPromotion(s.db.QueryRow(ctx, selectPromotion, id))
	if errors.Is(err, pgx.ErrNoRows) {
		return PromotionRecord{}, errNoPromotion()
	}
	if err != nil {
		return PromotionRecord{}, fmt.Errorf("read a promotion: %w", err)
	}
	return record, nil
}

// promotions lists promotions, newest first, behind the id in before ("" for the newest).
func (s *store) promotions(ctx context.Context, before string, limit int) ([]PromotionRecord, error) {
	if before == "" {
		before = afterEveryPromotion
	}
	rows, err := s.db.Query(ctx, selectPromotions, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list the promotions: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (PromotionRecord, error) { return scanPromotion(row) })
	if err != nil {
		return nil, fmt.Errorf("list the promotions: %w", err)
	}
	return all, nil
}

func scanPromotion(row pgx.Row) (PromotionRecord, error) {
	var r PromotionRecord
	var terms []byte
	if err := row.Scan(&r.ID, &r.Region, &terms, &r.Version, &r.CreatedAt, &r.UpdatedAt, &r.Used); err != nil {
		return r, err
	}
	r.Promotion = promotion.Promotion{}
	if err := json.Unmarshal(terms, &r.Promotion); err != nil {
		return r, fmt.Errorf("%s: %w", r.ID, err)
	}
	r.CreatedAt, r.UpdatedAt = r.CreatedAt.UTC(), r.UpdatedAt.UTC()
	return r, nil
}
