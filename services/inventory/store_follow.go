package inventory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// findAll reads the rows that the wishes' sagas have: one round trip.
func (s *store) findAll(ctx context.Context, wishes []wish) (map[string]reservation, error) {
	regions, sagas := sagasOf(wishes)
	rows, err := s.db.Query(ctx, readReservations, regions, sagas)
	if err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanReservation)
	if err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	known := make(map[string]reservation, len(found))
	for _, r := range found {
		known[r.SagaID] = r
	}
	return known, nil
}

// tombstones refuses late reserves of sagas that have no row, and gives those that now have none but this: one statement, one commit.
func (s *store) tombstones(ctx context.Context, wishes []wish) (made map[string]bool, err error) {
	made = map[string]bool{}
	if len(wishes) == 0 {
		return made, nil
	}
	regions, sagas := sagasOf(wishes)
	rows, err := s.db.Query(ctx, `
		INSERT INTO reservations (crdb_region, saga_id, state, request_hash, allocations, expires_at, version, created_at, updated_at)
		SELECT DISTINCT r::crdb_internal_region, g, 'released', '', '[]'::JSONB, $3::TIMESTAMPTZ, 1, $3::TIMESTAMPTZ, $3::TIMESTAMPTZ
		FROM unnest($1::TEXT[], $2::TEXT[]) AS u(r, g) ORDER BY 1, 2
		ON CONFLICT (crdb_region, saga_id) DO NOTHING RETURNING saga_id`, regions, sagas, s.now())
	if err != nil {
		return nil, fmt.Errorf("write tombstones: %w", err)
	}
	var saga string
	if _, err := pgx.ForEachRow(rows, []any{&saga}, func() error { made[saga] = true; return nil }); err != nil {
		return nil, fmt.Errorf("write tombstones: %w", err)
	}
	return made, nil
}

// sagasOf gives the homes and the sagas of wishes, place by place.
func sagasOf(wishes []wish) (regions, sagas []string) {
	for _, w := range wishes {
		regions, sagas = append(regions, w.region), append(sagas, w.saga)
	}
	return regions, sagas
}
