package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meridian-store/meridian/contract"
)

const (
	// compareEvery is how long it takes to compare all of index and catalog, when they are small.
	compareEvery = 30 * time.Second
	// restAfterWork is how much longer than a part's comparison the pause after it is.
	restAfterWork = 9
)

// Comparison is how far an index differs from the catalog.
type Comparison struct {
	Products int `json:"products"` // in the catalog
	// Differing are products that the index lacks, has too much or shows as they were; Mended those of them that are right now.
	Differing int `json:"differing"`
	Mended    int `json:"mended"`
}

// compare lays the sums of index and catalog side by side, bucket by bucket, and writes anew what differs.
func (x *index) compare(ctx context.Context) (Comparison, error) {
	target, err := x.engine.target(ctx)
	if err != nil {
		return Comparison{}, err
	}
	if target == "" {
		return Comparison{}, errNoIndex
	}
	found, err := x.compareWith(ctx, target)
	if isMissing(err) {
		// Either it has been replaced meanwhile, or searches are pointed to what is not there.
		if now, again := x.engine.target(ctx); again == nil && now == target {
			return found, errNoIndex
		}
	}
	return found, err
}

func (x *index) compareWith(ctx context.Context, collection string) (Comparison, error) {
	var all Comparison
	for _, letter := range contract.DocumentBuckets {
		if err := x.compareBucket(ctx, collection, string(letter), &all); err != nil {
			return all, err
		}
	}
	return all, nil
}

// compareBucket adds what it finds to a comparison.
func (x *index) compareBucket(ctx context.Context, collection, bucket string, all *Comparison) error {
	want, err := x.source.bucket(ctx, bucket, false)
	if err != nil {
		return err
	}
	all.Products += want.Count
	held, err := x.engine.revisions(ctx, collection, bucket)
	if err != nil {
		return err
	}
	if got := contract.NewDocumentBucket(bucket, held); got.Count == want.Count && got.Digest == want.Digest {
		return nil
	}
	if want, err = x.source.bucket(ctx, bucket, true); err != nil {
		return err
	}
	differing := differences(held, want.Revisions)
	all.Differing += len(differing)
	x.writing.Lock()
	defer x.writing.Unlock()
	for part := range slices.Chunk(differing, contract.MaxDocuments) {
		if err := x.write(ctx, part, collection); err != nil {
			return err
		}
		all.Mended += len(part)
	}
	return nil
}

// differences gives the ids of which two states say different things.
func differences(held, want map[string]string) []string {
	var ids []string
	for id, revision := range want {
		if held[id] != revision {
			ids = append(ids, id)
		}
	}
	for id := range held {
		if _, there := want[id]; !there {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// mend compares, tells what was found, and makes the first index where there is none.
func (x *index) mend(ctx context.Context) error {
	found, err := x.compare(ctx)
	if errors.Is(err, errNoIndex) {
		_, err = x.rebuild(ctx)
		return err
	}
	if err != nil {
		return fmt.Errorf("compare index and catalog: %w", err)
	}
	x.tell(ctx, found)
	return nil
}

func (x *index) tell(ctx context.Context, found Comparison) {
	x.metrics.differing.Set(float64(found.Differing))
	x.metrics.products.Set(float64(found.Products))
	if found.Differing > 0 {
		x.metrics.mended.Add(float64(found.Mended))
		x.log.WarnContext(ctx, "The index differed from the catalog and was mended.", "products", found.Differing)
	}
}

// watch compares all at once, and from then on part by part. Whatever goes wrong, also that the collection is not there any more, ends it;
// it is started again, and all is compared.
func (x *index) watch(ctx context.Context) error {
	if err := x.mend(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		found, err := x.goRound(ctx)
		if err != nil {
			return err
		}
		x.tell(ctx, found)
	}
	return nil
}

// goRound compares bucket after bucket, with pauses that keep it to a small part of what catalog and engine can do.
func (x *index) goRound(ctx context.Context) (Comparison, error) {
	var found Comparison
	for _, letter := range contract.DocumentBuckets {
		begun := time.Now()
		target, err := x.engine.target(ctx)
		if err == nil && target == "" {
			err = errNoIndex
		}
		if err == nil {
			err = x.compareBucket(ctx, target, string(letter), &found)
		}
		if err != nil {
			return found, fmt.Errorf("compare a part of index and catalog: %w", err)
		}
		select {
		case <-ctx.Done():
			return found, ctx.Err()
		case <-time.After(max(compareEvery/time.Duration(len(contract.DocumentBuckets)), restAfterWork*time.Since(begun))):
		}
	}
	return found, nil
}
