package order

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// archivedOrder finds an order in the archive's index; nothing when it is not there.
func (s *store) archivedOrder(ctx context.Context, home, id string) ([]archivedAt, error) {
	rows, err := s.db.Query(ctx, selectArchived, home, id)
	return collectArchived(rows, err)
}

// archivedNumbered finds the archived orders of a number in some regions.
func (s *store) archivedNumbered(ctx context.Context, homes []string, number string) ([]archivedAt, error) {
	rows, err := s.db.Query(ctx, selectArchivedNumbered, homes, number)
	return collectArchived(rows, err)
}

// archivedOfCart is ofCart for the archive.
func (s *store) archivedOfCart(ctx context.Context, home, cartID, before string, limit int) ([]archivedAt, error) {
	if before == "" {
		before = afterEveryID
	}
	rows, err := s.db.Query(ctx, selectArchivedOfCart, home, cartID, before, limit)
	return collectArchived(rows, err)
}

// archivedOfUser is ofUser for the archive.
func (s *store) archivedOfUser(ctx context.Context, homes []string, userID string, after place, limit int) ([]archivedAt, error) {
	rows, err := s.db.Query(ctx, selectArchivedOfUser, homes, userID, after.at, after.id, limit)
	return collectArchived(rows, err)
}

func collectArchived(rows pgx.Rows, err error) ([]archivedAt, error) {
	if err != nil {
		return nil, fmt.Errorf("look in the archive's index: %w", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (archivedAt, error) {
		var a archivedAt
		err := row.Scan(&a.id, &a.file, &a.at.Offset, &a.at.Length, &a.createdAt, &a.owner, &a.userID)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("look in the archive's index: %w", err)
	}
	return entries, nil
}
