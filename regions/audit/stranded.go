package audit

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/kit/sqldb"
)

// strandedAfterSeconds is how long an event may wait for its relay: one that died is replaced within a few seconds.
const strandedAfterSeconds = 60

var strandedCheck = Check{"events_stranded", "Events are sent: none waits in an outbox for more than a minute."}

// stranded looks for events that nobody sends.
type stranded struct {
	service string
	db      *sqldb.DB
	regions []string
	counts  *counter
}

func (s *stranded) examine(ctx context.Context, only []string, found func(Violation)) error {
	for _, region := range s.regions {
		rows, err := s.db.Query(ctx, `SELECT topic, count(*), count(*) FILTER (WHERE created_at < now() - $2 * INTERVAL '1 second'),
			COALESCE((array_agg(aggregate ORDER BY created_at))[1], '') FROM outbox WHERE crdb_region = $1 GROUP BY topic`, region, strandedAfterSeconds)
		if err != nil {
			return unreadable(s.service, err)
		}
		var topic, oldest string
		var waiting, late int64
		_, err = pgx.ForEachRow(rows, []any{&topic, &waiting, &late, &oldest}, func() error {
			if only == nil {
				s.counts.add("waiting events", int(waiting))
			}
			if late > 0 {
				what := fmt.Sprintf("%d events of %s for %s wait in %s for more than a minute.", late, s.service, topic, region)
				found(Violation{Code: strandedCheck.code, What: what, IDs: []string{oldest, s.service, region}, fact: topic})
			}
			return nil
		})
		if err != nil {
			return unreadable(s.service, err)
		}
	}
	return nil
}
