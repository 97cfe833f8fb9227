package order

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// place is a place in a list of orders of several regions, newest first: behind the order that was made at a time.
type place struct {
	at time.Time
	id string
}

// beforeAll is the place before the newest order.
func beforeAll(now time.Time) place { return place{now.Add(24 * time.Hour), ""} }

func (p place) String() string { return strconv.FormatInt(p.at.UnixMicro(), 10) + "." + p.id }

// parsePlace reads what String wrote.
func parsePlace(text string) (place, error) {
	micros, id, _ := strings.Cut(text, ".")
	at, err := strconv.ParseInt(micros, 10, 64)
	parsed, idErr := geo.ParseID(id)
	if err != nil || idErr != nil || parsed.Kind != "ord" || at < 0 || at > maxMicros {
		return place{}, contract.Invalid("cursor", "is not one that this list gave")
	}
	return place{time.UnixMicro(at).UTC(), id}, nil
}

// maxMicros is the year 9999, beyond which SQL and JSON write times otherwise.
const maxMicros = 253_402_300_799_999_999

// listOfUser lists what a user bought in any region, newest first.
func (s *Service) listOfUser(ctx context.Context, userID string, input *listInput) (*listOutput, error) {
	after := beforeAll(s.now())
	if input.Cursor != "" {
		var err error
		if after, err = parsePlace(input.Cursor); err != nil {
			return nil, err
		}
	}
	live, err := s.store.ofUser(ctx, s.homeNames(), userID, after, input.Limit+1)
	if err != nil {
		return nil, err
	}
	kept, err := s.store.archivedOfUser(ctx, s.homeNames(), userID, after, input.Limit+1)
	if err != nil {
		return nil, err
	}
	output := &listOutput{CacheControl: private}
	page := merge(live, kept, byTime, input.Limit+1)
	if len(page) > input.Limit {
		page = page[:input.Limit]
		last := page[input.Limit-1]
		output.Body.NextCursor = place{last.CreatedAt, last.ID}.String()
		output.Link = fmt.Sprintf(`</api/v1/orders?cursor=%s>; rel="next"`, output.Body.NextCursor)
	}
	output.Body.Items, err = s.fill(ctx, page)
	return output, err
}
