package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

// shelf is a catalog that counts what it is asked.
type shelf struct {
	version, asked atomic.Int64
	// hold, when set, is passed by whoever has looked at the version and has not answered yet.
	hold atomic.Pointer[func()]
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	shown := s.version.Load()
	if hold := s.hold.Swap(nil); hold != nil {
		(*hold)()
	}
	w.Header().Set("CDN-Cache-Control", "max-age=3600, stale-while-revalidate=30")
	w.Header().Set("Cache-Tag", "product:P1,price:USD")
	w.Header().Set("ETag", fmt.Sprintf(`"v%d"`, shown))
	if r.URL.Query().Get("brand") == "private" {
		w.Header().Set("CDN-Cache-Control", "no-store")
	}
	fmt.Fprintf(w, "version %d", shown)
}

func openShelf(t *testing.T, options ...kittest.Option) (*kittest.Service, *shelf) {
	t.Helper()
	shop, catalog := kittest.Start(t, gateway.Definition(), options...), &shelf{}
	shop.Neighbour(t, contract.ServiceCatalog, catalog)
	return shop, catalog
}

// awaitKept waits until the gateway follows events, and so answers from memory.
func awaitKept(t *testing.T, shop *kittest.Service, catalog *shelf) {
	t.Helper()
	kittest.Eventually(t, func() error {
		before := catalog.asked.Load()
		readFrom(t, shop, "/api/v1/products/warm-up")
		readFrom(t, shop, "/api/v1/products/warm-up")
		if catalog.asked.Load() > before+1 {
			return fmt.Errorf("each request is passed on")
		}
		return nil
	})
}

func readFrom(t *testing.T, shop *kittest.Service, path string, headers ...map[string]string) (body string, response *http.Response) {
	t.Helper()
	response = shop.Do(t, http.MethodGet, path, nil, nil, headers...)
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), response
}

func changed(t *testing.T, product string) contract.Event {
	t.Helper()
	data, err := json.Marshal(contract.ProductChange{ProductID: product})
	if err != nil {
		t.Fatal(err)
	}
	return contract.Event{SpecVersion: "1.0", ID: "evt-" + product, Source: "/us-east/catalog", Type: contract.ProductUpdated, Subject: product, OriginRegion: "us-east", Data: data}
}

func TestCatalogAnswersAreKeptUntilAnEventMakesThemUntrue(t *testing.T) {
	t.Parallel()
	shop, catalog := openShelf(t, kittest.WithBroker())
	awaitKept(t, shop, catalog)
	// Once is enough, unless the broker was too slow just then.
	kittest.Eventually(t, func() error {
		asked := catalog.asked.Load()
		for range 5 {
			if body, response := readFrom(t, shop, "/api/v1/products/x?currency=EUR"); body != "version 0" || response.Header.Get("X-Region") != "us-east" ||
				response.Header.Get("Cache-Tag") != "product:P1,price:USD" || response.Header.Get("Traceparent") == "" {
				t.Errorf("got %q with %v", body, response.Header)
			}
		}
		if n := catalog.asked.Load() - asked; n > 1 {
			return fmt.Errorf("the catalog was asked %d times", n)
		}
		return nil
	})
	if _, response := readFrom(t, shop, "/api/v1/products/x?currency=EUR", map[string]string{"If-None-Match": `"v0"`}); response.StatusCode != http.StatusNotModified {
		t.Errorf("the same again: %d", response.StatusCode)
	}
	if head := shop.Do(t, http.MethodHead, "/api/v1/products/x?currency=EUR", nil, nil); head.ContentLength != int64(len("version 0")) || head.Header.Get("ETag") != `"v0"` {
		t.Errorf("HEAD: %d bytes, ETag %s", head.ContentLength, head.Header.Get("ETag"))
	}
	asked := catalog.asked.Load()
	readFrom(t, shop, "/api/v1/products/x?currency=USD")
	readFrom(t, shop, "/api/v1/products?brand=private")
	readFrom(t, shop, "/api/v1/products?brand=private")
	if n := catalog.asked.Load() - asked; n != 3 {
		t.Errorf("another currency and twice what may not be kept: the catalog was asked %d times, want 3", n)
	}

	catalog.version.Store(1)
	shop.Publish(t, contract.TopicProducts, changed(t, "P2"))
	shop.Publish(t, contract.TopicProducts, changed(t, "P1"))
	kittest.Eventually(t, func() error {
		if body, _ := readFrom(t, shop, "/api/v1/products/x?currency=EUR"); body != "version 1" {
			return fmt.Errorf("it shows %q", body)
		}
		return nil
	})

	// The purger's word counts at once.
	catalog.version.Store(2)
	if gone := shop.Do(t, http.MethodPost, contract.PathPurgeAnswers, contract.AnswersPurge{Tags: []string{"PRODUCT:p1"}}, nil, shop.Internal()); gone.StatusCode != http.StatusNoContent {
		t.Fatalf("purge: %d", gone.StatusCode)
	}
	if body, _ := readFrom(t, shop, "/api/v1/products/x?currency=EUR"); body != "version 2" {
		t.Errorf("after the purge it shows %q", body)
	}
	catalog.version.Store(3)
	shop.Do(t, http.MethodPost, contract.PathPurgeAnswers, contract.AnswersPurge{Everything: true}, nil, shop.Internal())
	if body, _ := readFrom(t, shop, "/api/v1/products/x?currency=EUR"); body != "version 3" {
		t.Errorf("after a purge of everything it shows %q", body)
	}
	if stranger := shop.Do(t, http.MethodPost, contract.PathPurgeAnswers, contract.AnswersPurge{Everything: true}, nil); stranger.StatusCode != http.StatusNotFound {
		t.Errorf("a stranger purged: %d", stranger.StatusCode)
	}
}

func TestWithoutEventsNothingIsKept(t *testing.T) {
	t.Parallel()
	shop, catalog := openShelf(t)
	for i := range 4 {
		catalog.version.Store(int64(i))
		if body, _ := readFrom(t, shop, "/api/v1/products/x"); body != fmt.Sprintf("version %d", i) {
			t.Errorf("read %d shows %q", i, body)
		}
	}
}

// An answer that was on its way when it was purged is not kept, nor given to those who came after the purge.
func TestAnAnswerThatAPurgeOvertakesIsNotKept(t *testing.T) {
	t.Parallel()
	shop, catalog := openShelf(t, kittest.WithBroker())
	awaitKept(t, shop, catalog)
	for race := range 50 {
		reached, release := make(chan struct{}), make(chan struct{})
		hold := func() {
			close(reached)
			<-release
		}
		catalog.hold.Store(&hold)
		path := fmt.Sprintf("/api/v1/products/race-%d", race)
		var waiting sync.WaitGroup
		waiting.Go(func() { readFrom(t, shop, path) })
		<-reached
		now := catalog.version.Add(1)
		shop.Do(t, http.MethodPost, contract.PathPurgeAnswers, contract.AnswersPurge{Tags: []string{"product:P1"}}, nil, shop.Internal())
		var late string
		waiting.Go(func() { late, _ = readFrom(t, shop, path) })
		close(release)
		waiting.Wait()
		kept, _ := readFrom(t, shop, path)
		if want := fmt.Sprintf("version %d", now); late != want || kept != want {
			t.Fatalf("race %d: who came after the purge was shown %q, then %q; want %q", race, late, kept, want)
		}
	}
}
