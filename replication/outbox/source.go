package outbox

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/relay"
)

// leaseSeconds is how long a relay that died keeps its shards from another.
const leaseSeconds = 5

// Source is an SQL outbox as the relay reads it: fenced by a lease for each shard, judged by the database's clock.
type Source struct {
	db     *sqldb.DB
	region string
	holder string
	epochs map[int64]int64
}

// NewSource reads the outbox of a region. holder names this process; the same name takes its own lease over at once, so it must
// not be shared by two living processes.
func NewSource(db *sqldb.DB, region, holder string) *Source {
	return &Source{db: db, region: region, holder: holder}
}

// position is where a record stands in the outbox.
type position struct {
	shard, version int64
	aggregate      string
}

// Hold takes or renews the lease of every shard that no living relay holds, and says whether there is one. The first call raises
// the epochs, which fences off whoever held them before.
func (s *Source) Hold(ctx context.Context) (bool, error) {
	known := s.epochs != nil
	rows, err := s.db.Query(ctx, `
		INSERT INTO outbox_leases (crdb_region, shard, holder, epoch, expires_at)
		SELECT $1, s, $2, 1, now() + $3 * INTERVAL '1 second' FROM unnest($4::INT8[]) AS u(s)
		ON CONFLICT (crdb_region, shard) DO UPDATE SET
			holder = excluded.holder,
			epoch = outbox_leases.epoch + CASE WHEN outbox_leases.holder = excluded.holder AND $5 THEN 0 ELSE 1 END,
			expires_at = excluded.expires_at
		WHERE outbox_leases.holder = excluded.holder OR outbox_leases.expires_at < now()
		RETURNING shard, epoch`, s.region, s.holder, leaseSeconds, allShards(), known)
	if err != nil {
		return false, fmt.Errorf("hold the outbox: %w", err)
	}
	epochs := map[int64]int64{}
	var shard, epoch int64
	if _, err := pgx.ForEachRow(rows, []any{&shard, &epoch}, func() error { epochs[shard] = epoch; return nil }); err != nil {
		return false, fmt.Errorf("hold the outbox: %w", err)
	}
	s.epochs = epochs
	return len(epochs) > 0, nil
}

// Pending gives the oldest events of the shards that are held, each aggregate's in order.
func (s *Source) Pending(ctx context.Context, limit int) ([]relay.Record, error) {
	shards, _ := s.held()
	rows, err := s.db.Query(ctx, `
		SELECT shard, aggregate, version, topic, event FROM outbox
		WHERE crdb_region = $1 AND shard = ANY($2)
		ORDER BY crdb_region, shard, aggregate, version LIMIT $3`, s.region, shards, limit)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (relay.Record, error) {
		var at position
		var record relay.Record
		var body []byte
		if err := row.Scan(&at.shard, &at.aggregate, &at.version, &record.Topic, &body); err != nil {
			return relay.Record{}, err
		}
		record.Position = at
		return record, json.Unmarshal(body, &record.Event)
	})
}

// Sent deletes events that the broker has acknowledged, unless another relay took their shard over meanwhile: it will send them
// again, and consumers drop what they have seen.
func (s *Source) Sent(ctx context.Context, records []relay.Record) error {
	var shards, versions []int64
	var aggregates []string
	for _, record := range records {
		at := record.Position.(position)
		shards, aggregates, versions = append(shards, at.shard), append(aggregates, at.aggregate), append(versions, at.version)
	}
	heldShards, heldEpochs := s.held()
	_, err := s.db.Exec(ctx, `
		DELETE FROM outbox AS o
		USING unnest($2::INT8[], $3::TEXT[], $4::INT8[]) AS d(shard, aggregate, version)
		WHERE o.crdb_region = $1 AND o.shard = d.shard AND o.aggregate = d.aggregate AND o.version = d.version
		AND EXISTS (
			SELECT 1 FROM outbox_leases AS l JOIN unnest($5::INT8[], $6::INT8[]) AS h(shard, epoch)
			ON l.shard = h.shard AND l.epoch = h.epoch
			WHERE l.crdb_region = $1 AND l.shard = o.shard)`,
		s.region, shards, aggregates, versions, heldShards, heldEpochs)
	if err != nil {
		return fmt.Errorf("delete sent events: %w", err)
	}
	return nil
}

func (s *Source) held() (shards, epochs []int64) {
	for shard, epoch := range s.epochs {
		shards, epochs = append(shards, shard), append(epochs, epoch)
	}
	return shards, epochs
}

func allShards() []int64 {
	shards := make([]int64, Shards)
	for i := range shards {
		shards[i] = int64(i)
	}
	return shards
}
