package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/relay"
)

const (
	// lostAfter is how long a region's relay has let its lease lapse before another region sends in its place. A restart is quicker.
	lostAfter = 10 * time.Second
	lookEvery = 2 * time.Second
)

// Takeover sends the events that other regions have committed and that nobody there sends any more.
type Takeover struct {
	db      *sqldb.DB
	region  string
	others  []string
	holder  string
	brokers []string
	log     *slog.Logger
}

// NewTakeover makes the take-over of a service in a region; holder names this process among relays.
func NewTakeover(db *sqldb.DB, region string, others []string, holder string, brokers []string, log *slog.Logger) *Takeover {
	return &Takeover{db: db, region: region, others: others, holder: holder, brokers: brokers, log: log}
}

// Look sends what is stranded now.
func (t *Takeover) Look(ctx context.Context) error {
	stranded, err := t.stranded(ctx)
	if err != nil {
		return err
	}
	for _, lost := range stranded {
		sent, err := relay.Drain(ctx, NewSource(t.db, lost, t.holder), t.brokers, t.region)
		if sent > 0 {
			t.log.InfoContext(ctx, "Events of a region whose relay has stopped were sent in its place.", "lost_region", lost, "events", sent)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stranded gives the other regions that have events to send and no relay.
func (t *Takeover) stranded(ctx context.Context) ([]string, error) {
	rows, err := t.db.Query(ctx, `
		SELECT DISTINCT l.crdb_region FROM outbox_leases AS l
		WHERE l.crdb_region = ANY($1) AND l.expires_at < now() - $2 * INTERVAL '1 second'
		AND EXISTS (SELECT 1 FROM outbox AS o WHERE o.crdb_region = l.crdb_region AND o.shard = l.shard)`, t.others, lostAfter.Seconds())
	if err != nil {
		return nil, fmt.Errorf("look for stranded events: %w", err)
	}
	regions, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for stranded events: %w", err)
	}
	return regions, nil
}
