package imports

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

// store keeps imports and their files.
type store struct{ db *sqldb.DB }

const columns = `id, crdb_region::TEXT, state, format, currency, warehouse, received, progress, findings, failure, created_at, updated_at`

func scan(row pgx.Row) (job, error) {
	var j job
	var progress, found []byte
	err := row.Scan(&j.ID, &j.Region, &j.State, &j.Format, &j.Currency, &j.Warehouse, &j.Received, &progress, &found, &j.Failure, &j.CreatedAt, &j.UpdatedAt)
	if err != nil {
		return job{}, err
	}
	if err := errors.Join(json.Unmarshal(progress, &j.Progress), json.Unmarshal(found, &j.Findings)); err != nil {
		return job{}, fmt.Errorf("read import %s: %w", j.ID, err)
	}
	return j, nil
}

func absent(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return contract.Errorf(contract.CodeNotFound, "there is no such import")
	}
	return err
}

// create keeps a new import with what has come of its file.
func (s *store) create(ctx context.Context, j job, content []byte) error {
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		var unfinished int
		err := tx.QueryRow(ctx, `SELECT count(*) FROM imports WHERE crdb_region = $1 AND state IN ('receiving', 'queued', 'running')`, j.Region).Scan(&unfinished)
		if err != nil {
			return err
		}
		if unfinished >= maxUnfinished {
			return contract.Errorf(contract.CodeTooMany, "%d imports of this region are not done yet: wait for one of them", unfinished)
		}
		_, err = tx.Exec(ctx, `INSERT INTO imports (crdb_region, id, state, format, currency, warehouse, received, progress, findings, failure, worker, leased_until, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', '{}', '', '', $8, $8, $8)`,
			j.Region, j.ID, j.State, j.Format, j.Currency, j.Warehouse, j.Received, j.CreatedAt)
		if err != nil {
			return err
		}
		return keep(ctx, tx, j, 0, content)
	})
	return wrap("create an import", err)
}

// keep writes a part in pieces, in one round trip.
func keep(ctx context.Context, tx pgx.Tx, j job, at int64, content []byte) error {
	batch := &pgx.Batch{}
	for start := 0; start < len(content); start += pieceSize {
		batch.Queue(`INSERT INTO import_pieces (crdb_region, import_id, place, content) VALUES ($1, $2, $3, $4)`,
			j.Region, j.ID, at+int64(start), content[start:min(start+pieceSize, len(content))])
	}
	return tx.SendBatch(ctx, batch).Close()
}

// add appends a part when judge has nothing against it.
func (s *store) add(ctx context.Context, region, id string, content []byte, now time.Time, judge func(*job) error) (job, error) {
	var j job
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		var err error
		j, err = scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM imports WHERE crdb_region = $1 AND id = $2 FOR UPDATE`, region, id))
		if err != nil {
			return absent(err)
		}
		at := j.Received
		if err := judge(&j); err != nil {
			return err
		}
		j.UpdatedAt = now
		_, err = tx.Exec(ctx, `UPDATE imports SET state = $3, received = $4, leased_until = $5, updated_at = $5 WHERE crdb_region = $1 AND id = $2`,
			region, id, j.State, j.Received, now)
		if err != nil {
			return err
		}
		return keep(ctx, tx, j, at, content)
	})
	return j, wrap("add to an import", err)
}

func (s *store) find(ctx context.Context, region, id string) (job, error) {
	j, err := scan(s.db.QueryRow(ctx, `SELECT `+columns+` FROM imports WHERE crdb_region = $1 AND id = $2`, region, id))
	return j, wrap("read an import", absent(err))
}

const newestSQL = `SELECT ` + columns + ` FROM imports WHERE crdb_region = ANY($1) ORDER BY created_at DESC, id LIMIT $2`

func (s *store) newest(ctx context.Context, regions []string, limit int) ([]job, error) {
	rows, err := s.db.Query(ctx, newestSQL, regions, limit)
	if err != nil {
		return nil, wrap("list imports", err)
	}
	jobs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (job, error) { return scan(row) })
	return jobs, wrap("list imports", err)
}

// wrap says what was tried; a contract error goes through as it is.
func wrap(what string, err error) error {
	if err == nil || contract.CodeOf(err) != contract.CodeInternal {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}
