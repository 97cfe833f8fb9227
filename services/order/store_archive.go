package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order/archive"
)

// archivedAt is where an archived order is, and whose.
type archivedAt struct {
	id, file  string
	at        archive.Location
	createdAt time.Time
	owner     []byte
	userID    string
}

// archivable are the statuses in which an order that nobody has touched for long is done with.
func archivable() []string {
	var statuses []string
	for _, status := range contract.OrderStatuses() {
		if status != contract.OrderStatusPending && status != contract.OrderStatusPartiallyFulfilled {
			statuses = append(statuses, status)
		}
	}
	return statuses
}

const (
	// Their key is forgotten, and nothing is left to do about them.
	selectOld = `
		SELECT ` + wholeColumns + ` FROM orders AS o
		WHERE o.crdb_region = $1 AND o.status = ANY($2) AND o.created_at < $3 AND o.updated_at < $3
			AND NOT EXISTS (SELECT 1 FROM sagas AS s WHERE s.crdb_region = o.crdb_region AND s.id = o.saga_id)
			AND NOT EXISTS (SELECT 1 FROM order_tasks AS t WHERE t.crdb_region = o.crdb_region AND t.order_id = o.id)
		ORDER BY o.created_at, o.id LIMIT $4`
	archiveColumns         = `a.id, a.file, a.block_offset, a.block_length, a.created_at, a.owner_hash, a.user_id`
	selectArchived         = `SELECT ` + archiveColumns + ` FROM order_archive AS a WHERE a.crdb_region = $1 AND a.id = $2`
	selectArchivedNumbered = `SELECT ` + archiveColumns + ` FROM order_archive AS a WHERE a.crdb_region = ANY($1) AND a.number = $2`
	selectArchivedOfCart   = `
		SELECT ` + archiveColumns + ` FROM order_archive AS a WHERE a.crdb_region = $1 AND a.cart_id = $2 AND a.id < $3
		ORDER BY a.crdb_region DESC, a.cart_id DESC, a.id DESC LIMIT $4`
	selectArchivedOfUser = `
		SELECT ` + archiveColumns + ` FROM order_archive AS a
		WHERE a.crdb_region = ANY($1) AND a.user_id = $2 AND a.user_id <> '' AND (a.created_at, a.id) < ($3, $4)
		ORDER BY a.created_at DESC, a.id DESC LIMIT $5`
)

// oldOrders gives orders of a region that nobody has changed since a time, the oldest first.
func (s *store) oldOrders(ctx context.Context, home string, before time.Time, limit int) ([]placed, error) {
	rows, err := s.db.Query(ctx, selectOld, home, archivable(), before, limit)
	return collectWhole(rows, err)
}

// beginFile writes down that a file will be written.
func (s *store) beginFile(ctx context.Context, home, file string, at time.Time) error {
	if _, err := s.db.Exec(ctx, `INSERT INTO order_archive_files (crdb_region, file, begun_at, given_up) VALUES ($1, $2, $3, false)`, home, file, at); err != nil {
		return fmt.Errorf("begin a file of the archive: %w", err)
	}
	return nil
}

// leftoverFiles are those begun before a time that no order was moved into.
func (s *store) leftoverFiles(ctx context.Context, home string, before time.Time) ([]string, error) {
	rows, err := s.db.Query(ctx, `SELECT file FROM order_archive_files WHERE crdb_region = $1 AND begun_at < $2`, home, before)
	if err != nil {
		return nil, fmt.Errorf("look for files that were left: %w", err)
	}
	files, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for files that were left: %w", err)
	}
	return files, nil
}

// giveFileUp commits that no order will be moved into a file; false when orders just were.
func (s *store) giveFileUp(ctx context.Context, home, file string) (bool, error) {
	tag, err := s.db.Exec(ctx, `UPDATE order_archive_files SET given_up = true WHERE crdb_region = $1 AND file = $2`, home, file)
	if err != nil {
		return false, fmt.Errorf("give a file of the archive up: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// endFile forgets a file that has been removed.
func (s *store) endFile(ctx context.Context, home, file string) error {
	if _, err := s.db.Exec(ctx, `DELETE FROM order_archive_files WHERE crdb_region = $1 AND file = $2`, home, file); err != nil {
		return fmt.Errorf("forget a file of the archive: %w", err)
	}
	return nil
}

// moveOrders deletes orders that a durable file holds, and says where they are, in one transaction. Orders that were changed since they
// were read stay; it says how many were moved.
func (s *store) moveOrders(ctx context.Context, home, file string, orders []placed, at []archive.Location) (int, error) {
	moved := 0
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		moved = 0
		tag, err := tx.Exec(ctx, `DELETE FROM order_archive_files WHERE crdb_region = $1 AND file = $2 AND NOT given_up`, home, file)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errors.New("the file was given up")
		}
		gone, err := deleteUnchanged(ctx, tx, home, orders)
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for i, order := range orders {
			if !gone[order.ID] {
				continue
			}
			moved++
			batch.Queue(`INSERT INTO order_archive (crdb_region, id, number, saga_id, cart_id, owner_hash, user_id, status, created_at, file, block_offset, block_length)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
				home, order.ID, order.Number, order.sagaID, order.cartID, order.owner, order.userID, order.Status, order.CreatedAt, file, at[i].Offset, at[i].Length)
			batch.Queue(`DELETE FROM saga_steps WHERE crdb_region = $1 AND saga_id = $2`, home, order.sagaID)
		}
		if moved == 0 {
			return errNoneMoved
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	if errors.Is(err, errNoneMoved) {
		return 0, nil // what was written is removed as a leftover
	}
	if err != nil {
		return 0, fmt.Errorf("move orders to the archive: %w", err)
	}
	return moved, nil
}

var errNoneMoved = errors.New("every order was changed meanwhile")

// deleteUnchanged deletes those of some orders that still have the version that was read; what became of them goes with them.
func deleteUnchanged(ctx context.Context, tx pgx.Tx, home string, orders []placed) (map[string]bool, error) {
	ids, versions := make([]string, 0, len(orders)), make([]int64, 0, len(orders))
	for _, order := range orders {
		ids, versions = append(ids, order.ID), append(versions, order.version)
	}
	rows, err := tx.Query(ctx, `
		DELETE FROM orders AS o USING unnest($2::TEXT[], $3::INT8[]) AS old(id, version)
		WHERE o.crdb_region = $1 AND o.id = old.id AND o.version = old.version RETURNING o.id`, home, ids, versions)
	if err != nil {
		return nil, err
	}
	deleted, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	gone := make(map[string]bool, len(deleted))
	for _, id := range deleted {
		gone[id] = true
	}
	return gone, nil
}
