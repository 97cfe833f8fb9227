package inventory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/kit/telemetry"
)

const (
	// optimisticPlans is how often a plan is made from stock that nobody holds still. Each failure means that another sale went
	// through; the plans after that are made from locked rows, so that their answers are final.
	optimisticPlans = 3
	// mostPlans ends a reserve that finds its saga written by another each time it looks, which no shop in order does.
	mostPlans = 8
)

// ask is a request to reserve, checked and ready to be planned.
type ask struct {
	saga, region, hash, trace string
	lines                     []contract.SKUCount
	way                       []place
	expiresAt                 time.Time
}

func (a ask) alone() string { return "saga " + a.saga }

func (a ask) shared() []string {
	keys := make([]string, len(a.lines))
	for i, line := range a.lines {
		keys[i] = line.SKU
	}
	return keys
}

// reserve holds stock for a saga, all lines or none: four round trips and one commit whatever the number of lines, as long as
// nobody takes the same units between the plan and the hold, and the same four for all that are held together. created is false
// when the saga's reservation was there already.
func (s *Service) reserve(ctx context.Context, request contract.ReservationRequest) (r reservation, created bool, err error) {
	asked, err := s.prepare(ctx, request)
	if err != nil {
		return reservation{}, false, err
	}
	if request.First {
		if shortages := s.counts.hopeless(ctx, asked.lines); len(shortages) > 0 {
			s.outcomes.WithLabelValues("shed").Inc()
			return reservation{}, false, outOfStock(shortages)
		}
	}
	h, err := s.reserving.do(ctx, asked)
	switch {
	case err == nil && h.created:
		s.outcomes.WithLabelValues("held").Inc()
		s.bands.note(asked.shared()...)
	case contract.CodeOf(err) == contract.CodeOutOfStock:
		s.outcomes.WithLabelValues("out_of_stock").Inc()
	case contract.CodeOf(err) == contract.CodeInternal:
		err = fmt.Errorf("reserve for %s: %w", request.SagaID, err)
	}
	return h.reservation, h.created, err
}

func (s *Service) prepare(ctx context.Context, request contract.ReservationRequest) (ask, error) {
	region, err := sagaRegion(request.SagaID, s.regions)
	if err != nil {
		return ask{}, err
	}
	summed, err := sumLines(request.Lines)
	if err != nil {
		return ask{}, err
	}
	hash, err := hashRequest(request.Country, summed)
	if err != nil {
		return ask{}, err
	}
	return ask{
		saga: request.SagaID, region: region, hash: hash, trace: telemetry.TraceParent(ctx), lines: summed,
		way:       route(request.Country, s.region, s.regions),
		expiresAt: s.now().Add(time.Duration(request.HoldSeconds) * time.Second).UTC().Truncate(time.Microsecond),
	}, nil
}

// held is the answer to one ask.
type held struct {
	reservation
	created bool
}

// reserveAll answers asks of different sagas in one transaction. What is wrong with one is its own answer and holds no other up.
func (s *Service) reserveAll(ctx context.Context, asks []ask) []result[held] {
	s.sizes.Observe(float64(len(asks)))
	results, err := s.attempts(ctx, asks)
	if err == nil {
		return results
	}
	results = make([]result[held], len(asks))
	for i, a := range asks {
		if _, refused := sqldb.AsPgError(err); refused && len(asks) > 1 {
			// SQL took offence at something. Only those who brought it shall hear of it.
			results[i] = s.reserveAll(ctx, []ask{a})[0]
		} else {
			results[i].err = err
		}
	}
	return results
}

// attempts plans and holds until it succeeds or stock is short.
func (s *Service) attempts(ctx context.Context, asks []ask) ([]result[held], error) {
	var cause error
	for n := range mostPlans {
		p := plan{asks: asks, own: s.own, readAt: time.Now(), results: make([]result[held], len(asks))}
		var err error
		if n < optimisticPlans {
			err = s.store.holdSeen(ctx, &p)
		} else {
			err = s.store.holdLocked(ctx, &p)
		}
		if err == nil {
			s.learn(&p)
			return p.results, nil
		}
		if cause = err; !errors.Is(err, errTaken) && !errors.Is(err, errKnown) {
			break
		}
	}
	if errors.Is(cause, errTaken) || errors.Is(cause, errKnown) {
		cause = contract.Unavailable(cause, "the stock is changing too fast; try again")
	}
	return nil, cause
}

// learn keeps what a plan shows of the demand for its SKUs; it never waits.
func (s *Service) learn(p *plan) {
	demand := map[string]int{}
	for _, a := range p.asks {
		for _, line := range a.lines {
			demand[line.SKU]++
		}
	}
	wanted := p.short
	for sku, requests := range demand {
		if requests > 1 {
			s.heat.add(sku, requests)
			wanted = append(wanted, sku)
		}
	}
	s.heat.seen(p.buckets)
	if len(wanted) > 0 {
		s.counts.watch(wanted)
		s.counts.publish(countsOf(wanted, p.buckets, s.regions, p.readAt))
	}
}
