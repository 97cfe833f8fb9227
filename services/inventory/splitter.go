package inventory

import (
	"context"
	"log/slog"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

const (
	// splitEvery is how often hot SKUs are looked for, and coolAfter how long a split one must have been quiet to be joined.
	splitEvery = time.Second
	coolAfter  = time.Minute
	// quiet is the number of changes of a SKU's rows within coolAfter, by all processes together, below which it is quiet.
	quiet = 60
	// fullBucket is what each bucket gets at least when a SKU is split, and emptyBucket what each has left when it is joined again:
	// the last units are sold from one row.
	fullBucket  = 16
	emptyBucket = 4
)

// splitter splits the rows of SKUs in great demand into a bucket for each region, and joins them when the demand has gone or
// little is left.
type splitter struct {
	store *store
	heat  *heat
	// own is the bucket that this process takes from first; buckets is the number to split in.
	own, buckets int64
	log          *slog.Logger
	looked       map[string]look
}

// look is what a split SKU's versions added up to at a time.
type look struct {
	versions int64
	at       time.Time
}

func (s *splitter) run(ctx context.Context) error {
	ticker := time.NewTicker(splitEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			if err := s.pass(ctx, now); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "Hot SKUs could not be split or joined; it will be tried again.", "error", httpx.ErrorChain(err))
			}
		}
	}
}

// pass looks once: nothing is asked of SQL while nothing is hot and nothing split.
func (s *splitter) pass(ctx context.Context, now time.Time) error {
	hot := s.heat.hot()
	if len(hot) > 0 {
		buckets, err := s.store.stock(ctx, hot)
		if err != nil {
			return err
		}
		for sku, stock := range bySKU(buckets) {
			if worthSplitting(stock, s.own, s.buckets) {
				if err := s.split(ctx, sku, s.buckets, fullBucket); err != nil {
					return err
				}
			}
		}
	}
	return s.cool(ctx, now)
}

// cool joins what is quiet or nearly sold out, among the split SKUs that this process knows of.
func (s *splitter) cool(ctx context.Context, now time.Time) error {
	known := s.heat.known()
	if len(known) == 0 {
		return nil
	}
	buckets, err := s.store.stock(ctx, known)
	if err != nil {
		return err
	}
	stock := bySKU(buckets)
	for _, sku := range known {
		last, seen := s.looked[sku]
		versions := versionsOf(stock[sku])
		switch {
		case !worthJoining(stock[sku]):
			s.heat.forget(sku)
			delete(s.looked, sku)
		case scarce(stock[sku]), seen && now.Sub(last.at) >= coolAfter && versions-last.versions < quiet:
			if err := s.split(ctx, sku, 1, 0); err != nil {
				return err
			}
			delete(s.looked, sku)
		case !seen || now.Sub(last.at) >= coolAfter:
			s.looked[sku] = look{versions, now}
		}
	}
	return nil
}

func (s *splitter) split(ctx context.Context, sku string, n, least int64) error {
	err := s.store.rebucket(ctx, sku, n, least)
	if contract.CodeOf(err) == contract.CodeUnavailable {
		return nil // another process has just done it
	}
	if err != nil {
		return err
	}
	if n > 1 {
		s.heat.seen([]bucket{{shelf: shelf{sku: sku}, number: 1}})
	}
	s.log.InfoContext(ctx, "A SKU's stock is kept in another number of buckets.", "sku", sku, "buckets", n)
	return nil
}

func bySKU(buckets []bucket) map[string][]bucket {
	found := map[string][]bucket{}
	for _, b := range buckets {
		found[b.sku] = append(found[b.sku], b)
	}
	return found
}

func versionsOf(buckets []bucket) (sum int64) {
	for _, b := range buckets {
		sum += b.version
	}
	return sum
}

// worthSplitting says whether some shelf has enough to fill n buckets while the process's own bucket is missing or empty.
func worthSplitting(buckets []bucket, own, n int64) bool {
	for _, shelved := range byShelf(buckets) {
		var available int64
		full := false
		for _, b := range shelved {
			available += b.available()
			full = full || b.number == own%n && b.available() > 0
		}
		if n > 1 && available >= n*fullBucket && (int64(len(shelved)) < n || !full) {
			return true
		}
	}
	return false
}

// worthJoining says whether joining would change anything: units that are reserved stay in their buckets until they are settled.
func worthJoining(buckets []bucket) bool {
	for _, b := range buckets {
		if b.number > 0 && (b.available() > 0 || b.onHand == 0) {
			return true
		}
	}
	return false
}

// scarce says whether the buckets of every split shelf are nearly empty.
func scarce(buckets []bucket) bool {
	for _, shelved := range byShelf(buckets) {
		var available int64
		for _, b := range shelved {
			available += b.available()
		}
		if len(shelved) > 1 && available > emptyBucket*int64(len(shelved)) {
			return false
		}
	}
	return true
}
