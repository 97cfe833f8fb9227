package cart

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
)

// saidBy is what the cart service of another region says of a cart.
func saidBy(t *testing.T, region string, state contract.CartState) contract.Event {
	t.Helper()
	data, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	return contract.Event{
		SpecVersion: "1.0", ID: geo.NewID("evt", "euw"), Source: "/" + region + "/cart", Type: contract.CartChanged, Subject: state.CartID, Time: time.Now().UTC(),
		DataContentType: "application/json", OriginRegion: region, AggregateVersion: state.Version, Data: data,
	}
}

// announced waits for what this region says of a cart at a version.
func (s shop) announced(t *testing.T, id string, version int64) contract.CartState {
	t.Helper()
	event := s.WaitEvent(t, contract.TopicCarts, func(e contract.Event) bool {
		return e.Subject == id && e.OriginRegion == s.Region.Name && e.AggregateVersion == version
	})
	var state contract.CartState
	if err := event.Decode(&state); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestACartOfALostRegionIsRestoredAndChangedHere(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	who, name := newClaim(geo.IDs{}, "euw")
	s.name = name
	if response := s.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, s.header()); response.StatusCode != http.StatusNotFound {
		t.Fatalf("a cart that nobody spoke of was answered %d", response.StatusCode)
	}
	state := contract.CartState{CartID: who.id, Version: 3, Currency: "EUR", SecretHash: who.secretHash, Lines: []contract.CartEntry{
		{SKU: "A", Quantity: 1, Version: 1, Added: 1}, {SKU: "B", Quantity: 2, Version: 2, Added: 2}, {SKU: "GONE", Version: 3, Added: 1},
	}}
	s.Publish(t, contract.TopicCarts, saidBy(t, "eu-west", state))
	kittest.Eventually(t, func() error {
		if response := s.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, s.header()); response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	})
	got := s.read(t)
	wantLines(t, got, contract.SKUCount{SKU: "A", Quantity: 1}, contract.SKUCount{SKU: "B", Quantity: 2})
	if got.Currency != "EUR" || got.Version != 3 || got.ID != who.id {
		t.Errorf("restored as %+v", got)
	}
	stranger := map[string]string{contract.HeaderCartID: who.id + ".00000000000000000000000000000000"}
	if response := s.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, stranger); response.StatusCode != http.StatusNotFound {
		t.Errorf("another secret was answered %d", response.StatusCode)
	}

	s.add(t, "C", 4)
	s.do(t, http.MethodDelete, "/api/v1/cart/items/A", nil)
	said := s.announced(t, who.id, 5)
	want := []contract.CartEntry{
		{SKU: "A", Version: 5, Region: "use", Added: 1}, {SKU: "GONE", Version: 3, Added: 1}, {SKU: "B", Quantity: 2, Version: 2, Added: 2},
		{SKU: "C", Quantity: 4, Version: 4, Region: "use", Added: 4},
	}
	if fmt.Sprint(said.Lines) != fmt.Sprint(want) || said.SecretHash != who.secretHash {
		t.Errorf("said %+v, want %+v", said.Lines, want)
	}

	// The home was not lost but cut off, and its shopper's other device has changed the cart there.
	state.Version, state.Lines[0] = 7, contract.CartEntry{SKU: "A", Quantity: 9, Version: 4, Added: 1}
	state.Lines = append(state.Lines, contract.CartEntry{SKU: "D", Quantity: 1, Version: 7, Added: 7})
	s.Publish(t, contract.TopicCarts, saidBy(t, "eu-west", state))
	waitLines(t, s, contract.SKUCount{SKU: "B", Quantity: 2}, contract.SKUCount{SKU: "C", Quantity: 4}, contract.SKUCount{SKU: "D", Quantity: 1})
	if version := s.add(t, "B", 1).Version; version != 8 {
		t.Errorf("the next version is %d", version)
	}
	s.announced(t, who.id, 8) // the merge itself was announced by nobody but the home
}

func TestAHomeMergesWhatWasChangedElsewhereOnce(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 1)
	s.add(t, "B", 2)
	before := s.announced(t, s.id(), 2)
	s.add(t, "E", 1) // at home, after the other region heard of it last
	elsewhere := before
	elsewhere.Version = 4
	elsewhere.Lines = []contract.CartEntry{
		{SKU: "A", Version: 3, Region: "euw", Added: 1}, before.Lines[1], {SKU: "C", Quantity: 4, Version: 4, Region: "euw", Added: 4},
	}
	event := saidBy(t, "eu-west", elsewhere)
	s.Publish(t, contract.TopicCarts, event)
	want := []contract.SKUCount{{SKU: "B", Quantity: 2}, {SKU: "E", Quantity: 1}, {SKU: "C", Quantity: 4}}
	waitLines(t, s, want...)
	merged := s.announced(t, s.id(), 5)
	if len(merged.Lines) != 4 {
		t.Errorf("announced %+v", merged.Lines)
	}
	s.Publish(t, contract.TopicCarts, event)
	broken := event
	broken.ID, broken.Data = geo.NewID("evt", "euw"), json.RawMessage(`{"cart_id": "not one"}`)
	s.Publish(t, contract.TopicCarts, broken)

	// A cart that the home has lost altogether comes back from what another region made of it.
	who, name := newClaim(geo.IDs{}, "use")
	lost := shopper{shop: s.shop, name: name}
	s.Publish(t, contract.TopicCarts, saidBy(t, "eu-west", contract.CartState{CartID: who.id, Version: 9, Currency: "USD", SecretHash: who.secretHash,
		Lines: []contract.CartEntry{{SKU: "A", Quantity: 3, Version: 9, Region: "euw", Added: 2}}}))
	kittest.Eventually(t, func() error {
		if response := s.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, lost.header()); response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	})
	wantLines(t, lost.read(t), contract.SKUCount{SKU: "A", Quantity: 3})
	got := s.read(t)
	wantLines(t, got, want...)
	if got.Version != 5 {
		t.Errorf("hearing the same again made version %d of it", got.Version)
	}
}
