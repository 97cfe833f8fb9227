package imports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
)

// errLeaseLost says that another worker has the import now.
var errLeaseLost = errors.New("another worker has taken the import over")

const claimSQL = `SELECT id FROM imports WHERE crdb_region = $1 AND state IN ('queued', 'running') AND leased_until <= $2
	ORDER BY leased_until, id LIMIT 1 FOR UPDATE`

// claim takes one import of a region that waits or was left, and leases it to a worker; false when there is none.
func (s *store) claim(ctx context.Context, region, worker string, now time.Time, lease time.Duration) (j job, found bool, err error) {
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		var id string
		if err := tx.QueryRow(ctx, claimSQL, region, now).Scan(&id); err != nil {
			return err
		}
		var err error
		j, err = scan(tx.QueryRow(ctx, `UPDATE imports SET state = 'running', worker = $3, leased_until = $4, updated_at = $5
			WHERE crdb_region = $1 AND id = $2 RETURNING `+columns, region, id, worker, now.Add(lease), now))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return job{}, false, nil
	}
	return j, err == nil, wrap("claim an import", err)
}

// save writes how far a worker is, and lengthens its lease.
func (s *store) save(ctx context.Context, j job, worker string, now time.Time, lease time.Duration) error {
	progress, found, err := encode(j)
	if err != nil {
		return err
	}
	tag, err := s.db.Exec(ctx, `UPDATE imports SET progress = $4, findings = $5, failure = $6, leased_until = $7, updated_at = $8
		WHERE crdb_region = $1 AND id = $2 AND worker = $3 AND state = 'running'`,
		j.Region, j.ID, worker, progress, found, j.Failure, now.Add(lease), now)
	if err == nil && tag.RowsAffected() == 0 {
		return errLeaseLost
	}
	return wrap("save an import's progress", err)
}

// end writes an import's last state and lets go of its file.
func (s *store) end(ctx context.Context, j job, worker string, now time.Time) error {
	progress, found, err := encode(j)
	if err != nil {
		return err
	}
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE imports SET state = $4, progress = $5, findings = $6, failure = $7, updated_at = $8
			WHERE crdb_region = $1 AND id = $2 AND worker = $3 AND state = 'running'`,
			j.Region, j.ID, worker, j.State, progress, found, j.Failure, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errLeaseLost
		}
		_, err = tx.Exec(ctx, `DELETE FROM import_pieces WHERE crdb_region = $1 AND import_id = $2`, j.Region, j.ID)
		return err
	})
	return wrap("end an import", err)
}

// forget deletes what is known of imports that ended long ago.
func (s *store) forget(ctx context.Context, region string, before time.Time) error {
	_, err := s.db.Exec(ctx, `DELETE FROM imports WHERE crdb_region = $1 AND state IN ('done', 'failed') AND leased_until < $2`, region, before)
	return wrap("forget old imports", err)
}

// abandon fails imports whose file stopped coming in, and lets go of what came.
func (s *store) abandon(ctx context.Context, region string, before, now time.Time) error {
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE imports SET state = 'failed', failure = 'the rest of the file never came', updated_at = $3
			WHERE crdb_region = $1 AND state = 'receiving' AND leased_until < $2 RETURNING id`, region, before, now)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(ids) == 0 {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM import_pieces WHERE crdb_region = $1 AND import_id = ANY($2)`, region, ids)
		return err
	})
	return wrap("give up imports", err)
}

func encode(j job) (progress, found []byte, err error) {
	if progress, err = json.Marshal(j.Progress); err != nil {
		return nil, nil, fmt.Errorf("encode an import's progress: %w", err)
	}
	if found, err = json.Marshal(j.Findings); err != nil {
		return nil, nil, fmt.Errorf("encode an import's findings: %w", err)
	}
	return progress, found, nil
}

const pieceSQL = `SELECT place, content FROM import_pieces WHERE crdb_region = $1 AND import_id = $2 AND place <= $3 ORDER BY place DESC LIMIT 1`

// file reads an import's file out of its pieces, of which it holds one at a time. It implements io.ReadSeeker.
type file struct {
	ctx    context.Context
	store  *store
	job    job
	at     int64
	start  int64
	loaded []byte
}

// Read implements io.Reader.
func (f *file) Read(into []byte) (int, error) {
	if f.at >= f.job.Received {
		return 0, io.EOF
	}
	if f.at < f.start || f.at >= f.start+int64(len(f.loaded)) {
		err := f.store.db.QueryRow(f.ctx, pieceSQL, f.job.Region, f.job.ID, f.at).Scan(&f.start, &f.loaded)
		if err != nil {
			return 0, fmt.Errorf("read the file of import %s: %w", f.job.ID, err)
		}
		if f.at >= f.start+int64(len(f.loaded)) {
			return 0, fmt.Errorf("the file of import %s has a hole at byte %d", f.job.ID, f.at)
		}
	}
	n := copy(into, f.loaded[f.at-f.start:])
	f.at += int64(n)
	return n, nil
}

// Seek implements io.Seeker, from the file's start alone.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart || offset < 0 {
		return 0, errors.New("an import's file is sought from its start alone")
	}
	f.at = offset
	return offset, nil
}
