package cart

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
)

// abandonments counts the announcements of a cart that have been sent by the time a later event of the same cart is.
func (s *shopper) abandonments(t *testing.T) (versions []int64) {
	t.Helper()
	marker := s.add(t, "MARKER", 1)
	s.WaitEvent(t, contract.TopicCarts, func(event contract.Event) bool {
		if event.Subject == s.id() && event.Type == contract.CartAbandoned {
			versions = append(versions, event.AggregateVersion)
		}
		return event.Subject == s.id() && event.AggregateVersion == marker.Version
	})
	return versions
}

// waitAbandoned waits until a cart has been announced, told by the version that this costs, and has been backed up as such.
func (s *shopper) waitAbandoned(t *testing.T, version int64) {
	t.Helper()
	kittest.Eventually(t, func() error {
		var abandoned bool
		query := `SELECT abandoned FROM cart_backups WHERE crdb_region = 'us-east' AND cart_id = $1 AND version = $2`
		if err := s.DB.QueryRow(t.Context(), query, s.id(), version).Scan(&abandoned); err != nil || !abandoned {
			return fmt.Errorf("not announced yet: %t, %w", abandoned, err)
		}
		return nil
	})
}

func TestAnAbandonedCartIsAnnouncedOnce(t *testing.T) {
	t.Parallel()
	s := &shopper{shop: openShop(t, awake())}
	empty := &shopper{shop: s.shop}
	empty.add(t, "A", 1)
	empty.do(t, http.MethodDelete, "/api/v1/cart", nil)
	s.add(t, "A", 2)
	s.clock.advance(59 * time.Minute)
	s.waitSaved(t, s.id(), 1)
	s.clock.advance(2 * time.Minute)
	s.waitAbandoned(t, 2)
	event := s.WaitEvent(t, contract.TopicCarts, func(event contract.Event) bool { return event.Type == contract.CartAbandoned })
	var state contract.CartState
	if err := event.Decode(&state); err != nil || event.Subject != s.id() || event.AggregateVersion != 2 || state.Version != 2 ||
		len(state.Lines) != 1 || state.Lines[0] != (contract.CartEntry{SKU: "A", Quantity: 2, Version: 1, Added: 1}) {
		t.Fatalf("announced %+v with %+v (%v)", event, state, err)
	}
	// Neither time, nor a restart, nor the loss of Redis makes it news again.
	s.Restart(t)
	s.clock.advance(2 * time.Hour)
	s.wipe(t)
	wantLines(t, s.read(t), contract.SKUCount{SKU: "A", Quantity: 2})
	restored := s.read(t).Version
	s.clock.advance(2 * time.Hour)
	s.waitAbandoned(t, restored) // backed up anew as what it is
	if got := s.abandonments(t); fmt.Sprint(got) != "[2]" {
		t.Errorf("announced at versions %v", got)
	}
	// Another version is news.
	changed := s.read(t).Version
	s.clock.advance(61 * time.Minute)
	s.waitAbandoned(t, changed+1)
	if got := s.abandonments(t); fmt.Sprint(got) != fmt.Sprintf("[2 %d]", changed+1) {
		t.Errorf("announced at versions %v", got)
	}
	if got := empty.abandonments(t); len(got) != 0 {
		t.Errorf("an empty cart was announced at versions %v", got)
	}
}

func TestACartInUseIsNotAbandoned(t *testing.T) {
	t.Parallel()
	st, _ := openStore(t)
	who := newCart(t, st, "A")
	lastUse := time.Now().Add(-2 * time.Hour)
	rested := []restingCart{{id: who.id, lastUse: lastUse}}
	slot := slotOf(who.id)
	announce := func() int {
		t.Helper()
		n, err := st.abandon(t.Context(), slot, rested)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	rest := func() {
		t.Helper()
		resting, err := st.unused(t.Context(), st.keys.idle(slot), time.Now().Add(time.Hour), 10)
		if err != nil || len(resting) != 1 {
			t.Fatalf("resting %v, %v", resting, err)
		}
		if err := st.rest(t.Context(), slot, resting); err != nil {
			t.Fatal(err)
		}
	}
	if announce() != 0 {
		t.Error("a cart that has not rested was announced")
	}
	rest()
	if _, err := st.put(t.Context(), who, "", modeAdd, "A", 1); err != nil {
		t.Fatal(err)
	}
	if announce() != 0 {
		t.Error("a cart that is used again was announced")
	}
	rest()
	if first, second := announce(), announce(); first != 1 || second != 0 {
		t.Errorf("announced %d times, then %d times", first, second)
	}
	c, err := st.find(t.Context(), who.id)
	if err != nil || !c.abandoned || c.version != 3 {
		t.Errorf("%+v, %v", c, err)
	}
	rest()
	if announce() != 0 {
		t.Error("it was announced again at the same version")
	}
}
