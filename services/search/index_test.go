package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/engine/search/searchtest"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/regions"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// shelf is a catalog that the test changes.
type shelf struct {
	mu       sync.Mutex
	products map[string]contract.ProductDocument
	// repriced is what price lists have repriced, told once.
	repriced []string
}

func (s *shelf) set(p contract.ProductDocument) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.products[p.ID] = p
}

func (s *shelf) delete(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.products, id)
}

func (s *shelf) documents(_ context.Context, ids []string) ([]contract.ProductDocument, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []contract.ProductDocument
	for _, id := range ids {
		if p, there := s.products[id]; there {
			found = append(found, p)
		}
	}
	return found, nil
}

func (s *shelf) page(_ context.Context, after string) ([]contract.ProductDocument, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []contract.ProductDocument
	for _, id := range slices.Sorted(maps.Keys(s.products)) {
		if id > after && len(found) < 100 {
			found = append(found, s.products[id])
		}
	}
	return found, nil
}

func (s *shelf) bucket(_ context.Context, bucket string, revisions bool) (contract.DocumentBucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := map[string]string{}
	for id, p := range s.products {
		if bucketOf(id) == bucket {
			held[id] = p.Revision
		}
	}
	sum := contract.NewDocumentBucket(bucket, held)
	if !revisions {
		sum.Revisions = nil
	}
	return sum, nil
}

// digest sums all of a shelf up.
func (s *shelf) digest() (sums []string) {
	for _, letter := range contract.DocumentBuckets {
		b, _ := s.bucket(context.Background(), string(letter), false)
		sums = append(sums, fmt.Sprint(b.Count, b.Digest))
	}
	return sums
}

func openIndex(t testing.TB, url, key string, from source, sender *http.Client) *index {
	t.Helper()
	address, password := enginetest.Redis(t)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, Password: password, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	prefix := enginetest.Prefix()
	e, err := newEngine(url, secret.New(key), prefix+"products-en", sender)
	if err != nil {
		t.Fatal(err)
	}
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return &index{engine: e, source: from, sales: sales{client, prefix}, language: english, regions: regions.ForServices(all), now: time.Now,
		log: slog.New(slog.DiscardHandler), metrics: newMetrics(prometheus.NewRegistry())}
}

// sums gives what the index holds, as digest does of the shelf.
func (x *index) sums(ctx context.Context) (sums []string, err error) {
	target, err := x.engine.target(ctx)
	if err != nil {
		return nil, err
	}
	for _, letter := range contract.DocumentBuckets {
		held, err := x.engine.revisions(ctx, target, string(letter))
		if err != nil {
			return nil, err
		}
		b := contract.NewDocumentBucket(string(letter), held)
		sums = append(sums, fmt.Sprint(b.Count, b.Digest))
	}
	return sums, nil
}

func sample(id string, version int) contract.ProductDocument {
	return contract.ProductDocument{ID: id, Slug: strings.ToLower(id), Title: fmt.Sprintf("Product %s %d", id, version), Brand: "Ayers", Stock: contract.BandInStock,
		Prices: []contract.MarketPrice{{Currency: "USD", Amount: int64(1000 + version)}}, Revision: fmt.Sprint(version)}
}

// Ten thousand random changes, whose events come late, twice and in any order, to a consumer that dies between writing and committing, while
// the engine is killed again and again: at the end the index is the catalog.
func TestTheIndexIsTheCatalogAfterTenThousandChanges(t *testing.T) {
	t.Parallel()
	changes, kills := 10_000, 6
	if raceDetector {
		changes = 1_000
	}
	engine := &enginetest.SearchProcess{Address: fmt.Sprintf("127.0.0.1:%d", enginetest.Ports(t, 1)), Folder: filepath.Join(t.TempDir(), "engine"), Key: "the-test's-key"}
	if err := engine.Start(); err != nil {
		t.Fatal(err)
	}
	defer engine.Kill()
	s := &shelf{products: map[string]contract.ProductDocument{}}
	x := openIndex(t, engine.URL(), engine.Key, s, nil)
	if _, err := x.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := make([]string, 300)
	for i := range ids {
		ids[i] = geo.NewID("prd", "use")
	}
	events := make(chan string, 2*changes)
	var working sync.WaitGroup
	working.Go(func() { // the catalog
		defer close(events)
		for version := range changes {
			id := ids[rand.IntN(len(ids))]
			if rand.IntN(5) == 0 {
				s.delete(id)
			} else {
				s.set(sample(id, version))
			}
			events <- id
			if rand.IntN(10) == 0 {
				events <- ids[rand.IntN(len(ids))] // one that comes late, or twice
			}
		}
	})
	killed := make(chan struct{})
	working.Go(func() { // misfortune
		defer close(killed)
		for range kills {
			time.Sleep(time.Duration(50+rand.IntN(150)) * time.Millisecond)
			engine.Kill()
			if err := engine.Start(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	deaths, retries := 0, 0
	var batch []string
	for id := range events { // the consumer: what is not committed comes again
		if batch = append(batch, id); len(batch) < 1+rand.IntN(60) {
			continue
		}
		for {
			err := x.sync(t.Context(), slices.Clone(batch))
			if err == nil && rand.IntN(20) > 0 {
				break
			}
			if err == nil {
				deaths++ // after the writing, before the commit
				continue
			}
			if retries++; retries > 10_000 {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		batch = batch[:0]
	}
	working.Wait()
	<-killed
	kittest.Eventually(t, func() error { return x.sync(t.Context(), batch) })
	sums, err := x.sums(t.Context())
	if err != nil || !slices.Equal(sums, s.digest()) {
		t.Fatalf("after %d changes index and catalog differ (%v)", changes, err)
	}
	t.Logf("%d changes, %d kills of the engine, %d deaths of the consumer, %d attempts that failed: the sums of %d products are equal", changes, kills, deaths, retries, len(s.products))
}

// Whatever happened to the index, the comparison finds and mends it; and a rebuild loses no search and no change.
func TestAComparisonMendsAndARebuildIsNotNoticed(t *testing.T) {
	t.Parallel()
	url, key := enginetest.Search(t)
	s := &shelf{products: map[string]contract.ProductDocument{}}
	x := openIndex(t, url, key, s, searchtest.Client(t))
	var ids []string
	for i := range 200 {
		id := geo.NewID("prd", "use")
		ids = append(ids, id)
		s.set(sample(id, i))
	}
	if _, err := x.compare(t.Context()); !errors.Is(err, errNoIndex) {
		t.Errorf("without an index: %v", err)
	}
	if err := x.mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := x.compare(t.Context()); err != nil || found.Differing != 0 || found.Products != 200 {
		t.Errorf("a fresh index: %+v (%v)", found, err)
	}
	target, err := x.engine.target(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Behind everybody's back: one too few, one too many, one as it was.
	if err := x.engine.remove(t.Context(), target, ids[:1]); err != nil {
		t.Fatal(err)
	}
	s.delete(ids[1])
	s.set(sample(ids[2], 999))
	if found, err := x.compare(t.Context()); err != nil || found.Differing != 3 || found.Mended != 3 {
		t.Errorf("a damaged index: %+v (%v)", found, err)
	}
	if found, err := x.compare(t.Context()); err != nil || found.Differing != 0 {
		t.Errorf("after mending: %+v (%v)", found, err)
	}
	var all sync.WaitGroup
	stop := make(chan struct{})
	searcher := &Service{index: x, engine: x.engine, language: english, regions: map[string]string{}}
	all.Go(func() { // shoppers
		for {
			select {
			case <-stop:
				return
			default:
			}
			q := Query{Text: "product", Page: 1, PerPage: 1, Currency: "USD", Sort: SortRelevance}
			if found, err := x.engine.search(t.Context(), searcher.params(q, true)); err != nil || *found.Found < 190 {
				t.Errorf("while it is rebuilt a search finds %+v (%v)", found, err)
				return
			}
		}
	})
	all.Go(func() { // editors
		for i := range 50 {
			s.set(sample(ids[10+i], 5000+i))
			if err := x.sync(t.Context(), []string{ids[10+i]}); err != nil {
				t.Error(err)
			}
		}
	})
	if _, err := x.rebuild(t.Context()); err != nil {
		t.Error(err)
	}
	close(stop)
	all.Wait()
	if names, err := x.engine.collections(t.Context()); err != nil || len(names) != 1 || names[0] == target {
		t.Errorf("after the rebuild there are %v (%v)", names, err)
	}
	if sums, err := x.sums(t.Context()); err != nil || !slices.Equal(sums, s.digest()) {
		t.Errorf("after the rebuild index and catalog differ (%v)", err)
	}
}

// Sales are counted once for each event, and put what sells before what does not.
func TestWhatSellsComesFirst(t *testing.T) {
	t.Parallel()
	url, key := enginetest.Search(t)
	s := &shelf{products: map[string]contract.ProductDocument{}}
	x := openIndex(t, url, key, s, searchtest.Client(t))
	first, second := geo.NewID("prd", "use"), geo.NewID("prd", "use")
	s.set(sample(first, 1))
	s.set(sample(second, 1))
	if err := x.mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := x.sales.add(t.Context(), "evt-1", map[string]int64{first: 2}); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.sales.add(t.Context(), "evt-2", map[string]int64{second: 1}); err != nil {
		t.Fatal(err)
	}
	if err := x.sync(t.Context(), []string{first, second}); err != nil {
		t.Fatal(err)
	}
	sold, err := x.sales.of(t.Context(), []string{first, second, "none"})
	if err != nil || sold[first] != 2 || sold[second] != 1 {
		t.Errorf("sold %v (%v)", sold, err)
	}
	searcher := &Service{index: x, engine: x.engine, language: english, regions: map[string]string{}}
	for _, order := range []string{SortRelevance, SortBestSelling} {
		q := Query{Text: "product", Page: 1, PerPage: 10, Currency: "USD", Sort: order}
		found, err := x.engine.search(t.Context(), searcher.params(q, true))
		if err != nil {
			t.Fatal(err)
		}
		if r := searcher.result(q, found); len(r.Hits) != 2 || r.Hits[0].ID != first || r.Hits[0].PriceFrom.Amount != 1001 {
			t.Errorf("by %s: %+v", order, r.Hits)
		}
	}
}
