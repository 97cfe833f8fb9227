package inventory

import (
	"time"

	"github.com/meridian-store/meridian/contract"
)

// plan decides what each of some asks gets of the stock as it was read.
type plan struct {
	asks []ask
	// own is the number of the bucket that this process takes from first.
	own int64
	// readAt is a moment before the stock was read.
	readAt time.Time
	// buckets is the stock of all the asks' SKUs as it was read.
	buckets []bucket
	// results has one answer for each ask; those of created ones hold once the transaction is committed.
	results []result[held]
	// holds are the created reservations.
	holds []reservation
	// short are the SKUs of which somebody did not get enough.
	short []string
}

// make decides, first come first. known are the sagas that have a row already.
func (p *plan) make(known map[string]reservation, buckets []bucket) {
	p.buckets, p.holds, p.short = buckets, nil, nil
	left := supplyOf(buckets, p.own)
	for i, a := range p.asks {
		p.results[i] = p.answer(a, known, left)
		if got := p.results[i]; got.out.created {
			p.holds = append(p.holds, got.out.reservation)
		}
	}
}

func (p *plan) answer(a ask, known map[string]reservation, left supply) result[held] {
	if r, found := known[a.saga]; found {
		// A repeat must not be told that the stock is gone which it has itself taken.
		r, err := r.repeated(a.hash)
		return result[held]{out: held{reservation: r}, err: err}
	}
	takings, shortages := left.allocate(a.lines, a.way)
	if len(shortages) > 0 {
		for _, short := range shortages {
			p.short = append(p.short, short.SKU)
		}
		return result[held]{err: outOfStock(shortages)}
	}
	return result[held]{out: held{created: true, reservation: reservation{
		Reservation: contract.Reservation{SagaID: a.saga, State: contract.ReservationHeld, Allocations: merged(takings), ExpiresAt: a.expiresAt},
		takings:     takings, region: a.region, requestHash: a.hash, version: 1, trace: a.trace,
	}}}
}

// skus gives each SKU of the asks once.
func (p *plan) skus() []string {
	seen := map[string]bool{}
	var skus []string
	for _, a := range p.asks {
		for _, line := range a.lines {
			if !seen[line.SKU] {
				seen[line.SKU] = true
				skus = append(skus, line.SKU)
			}
		}
	}
	return skus
}
