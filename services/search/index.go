package search

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// source is where documents come from: the catalog.
type source interface {
	documents(ctx context.Context, ids []string) ([]contract.ProductDocument, error)
	page(ctx context.Context, after string) ([]contract.ProductDocument, error)
	bucket(ctx context.Context, bucket string, revisions bool) (contract.DocumentBucket, error)
}

// index keeps the engine equal to the catalog.
type index struct {
	engine   *engine
	source   source
	sales    sales
	language language
	regions  []contract.Region
	now      func() time.Time
	log      *slog.Logger
	metrics  *metrics
	// rules are what merchants say; nil where nobody can say anything.
	rules func(context.Context) ([]keptRule, error)

	// rebuilding is held by the one rebuild that there is at a time.
	rebuilding sync.Mutex
	// writing is held by whoever writes: what is read of the catalog is then written before it is read again.
	writing sync.Mutex
	// filling is the collection that a rebuild fills; every write goes there too.
	filling string
}

// errNoIndex says that nothing was indexed yet.
var errNoIndex = errors.New("there is no index yet")

// most is how often a batch is written again because the catalog said something else meanwhile.
const most = 5

// sync writes what the catalog says of some products now, deleted ones among them.
func (x *index) sync(ctx context.Context, ids []string) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	target, err := x.engine.target(ctx)
	if err != nil {
		return err
	}
	if target == "" {
		return errNoIndex
	}
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), contract.MaxDocuments) {
		if err := x.write(ctx, part, target, x.filling); err != nil {
			return err
		}
	}
	return nil
}

// write brings some products into collections. Another instance may do the same at the same time, with an older or a newer word of the
// catalog; so what was written is compared with what the catalog says afterwards, until it is the same: whoever writes last has seen the last.
func (x *index) write(ctx context.Context, ids []string, collections ...string) error {
	var written map[string]string // nil: nothing yet
	for range most {
		products, err := x.source.documents(ctx, ids)
		if err != nil {
			return err
		}
		now := map[string]string{}
		for _, p := range products {
			now[p.ID] = p.Revision
		}
		if written != nil && maps.Equal(now, written) {
			return nil
		}
		documents, err := x.documents(ctx, products)
		if err != nil {
			return err
		}
		changed := 0
		for _, collection := range collections {
			n, err := x.bring(ctx, collection, ids, documents)
			if err != nil {
				return err
			}
			changed += n
		}
		if changed == 0 {
			return nil
		}
		written = now
	}
	return nil // it changes faster than it can be written; the next event, or the next comparison, goes on
}

// bring makes some of a collection's documents those that are given, and none where none is given. It writes what is different, and says how
// many are: most events tell again what an earlier one has brought about.
func (x *index) bring(ctx context.Context, collection string, ids []string, documents []document) (int, error) {
	if collection == "" {
		return 0, nil
	}
	held, err := x.engine.held(ctx, collection, ids)
	if err != nil {
		return 0, err
	}
	var different []document
	for _, d := range documents {
		id := d.text("id")
		if now, there := held[id]; !there || now != d.state() {
			different = append(different, d)
		}
		delete(held, id)
	}
	gone := slices.Sorted(maps.Keys(held))
	if err := x.engine.write(ctx, collection, different); err != nil {
		return 0, err
	}
	if err := x.engine.remove(ctx, collection, gone); err != nil {
		return 0, err
	}
	x.metrics.written.Add(float64(len(different)))
	x.metrics.removed.Add(float64(len(gone)))
	return len(different) + len(gone), nil
}

func (x *index) documents(ctx context.Context, products []contract.ProductDocument) ([]document, error) {
	ids := make([]string, 0, len(products))
	for _, p := range products {
		ids = append(ids, p.ID)
	}
	sold, err := x.sales.of(ctx, ids)
	if err != nil {
		return nil, err
	}
	documents := make([]document, 0, len(products))
	for _, p := range products {
		documents = append(documents, x.language.newDocument(p, sold[p.ID], x.regions))
	}
	return documents, nil
}

// rebuild fills a new collection from the catalog while searches go to the old one and changes to both, then has searches go to the new one,
// and deletes the others.
func (x *index) rebuild(ctx context.Context) (Comparison, error) {
	if !x.rebuilding.TryLock() {
		return Comparison{}, contract.Errorf(contract.CodeConflict, "the index is being built already")
	}
	defer x.rebuilding.Unlock()
	fresh := x.engine.newName(x.now())
	if err := x.engine.create(ctx, fresh); err != nil {
		return Comparison{}, err
	}
	x.setFilling(fresh)
	err := x.curateCollection(ctx, fresh)
	if err == nil {
		err = x.fill(ctx, fresh)
	}
	if err == nil {
		err = x.engine.point(ctx, fresh)
	}
	x.setFilling("")
	if err != nil {
		return Comparison{}, errors.Join(err, x.engine.drop(context.WithoutCancel(ctx), fresh))
	}
	found, err := x.compareWith(ctx, fresh)
	if err != nil {
		return found, err
	}
	return found, x.dropOlder(ctx, fresh)
}

// fill brings all products into a collection that nobody searches yet.
func (x *index) fill(ctx context.Context, fresh string) error {
	for after := ""; ; {
		products, err := x.source.page(ctx, after)
		if err != nil {
			return err
		}
		if len(products) == 0 {
			break
		}
		err = x.put(ctx, fresh, products)
		if err != nil {
			return err
		}
		after = products[len(products)-1].ID
		x.log.InfoContext(ctx, "A new index is being filled.", "collection", fresh, "up_to", after)
	}
	// What changed behind the page that was just read is mended before anybody searches here.
	_, err := x.compareWith(ctx, fresh)
	return err
}

// put writes documents into a collection that nobody searches yet.
func (x *index) put(ctx context.Context, collection string, products []contract.ProductDocument) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	documents, err := x.documents(ctx, products)
	if err != nil {
		return err
	}
	x.metrics.written.Add(float64(len(documents)))
	return x.engine.write(ctx, collection, documents)
}

func (x *index) dropOlder(ctx context.Context, than string) error {
	all, err := x.engine.collections(ctx)
	for _, name := range all {
		// Whatever is younger is another instance's rebuild, under way.
		if name < than {
			err = errors.Join(err, x.engine.drop(ctx, name))
		}
	}
	return err
}

func (x *index) setFilling(name string) {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.filling = name
}
