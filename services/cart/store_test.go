package cart

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

var testRegion = geo.Region{Name: "us-east", Code: "use"}

// countedRedis counts round trips and remembers what was sent.
type countedRedis struct {
	rueidis.Client
	trips atomic.Int64
	mu    sync.Mutex
	sent  []string
}

func (c *countedRedis) Do(ctx context.Context, command rueidis.Completed) rueidis.RedisResult {
	c.count(command)
	return c.Client.Do(ctx, command)
}

func (c *countedRedis) DoMulti(ctx context.Context, commands ...rueidis.Completed) []rueidis.RedisResult {
	c.count(commands...)
	return c.Client.DoMulti(ctx, commands...)
}

func (c *countedRedis) count(commands ...rueidis.Completed) {
	c.trips.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, command := range commands {
		c.sent = append(c.sent, command.Commands()...)
	}
}

// openStore gives a store on its own keys.
func openStore(t testing.TB) (*store, *countedRedis) {
	t.Helper()
	client := &countedRedis{Client: openRedis(t)}
	return newStore(client, enginetest.Prefix()+"-", testRegion, time.Now, func() {}), client
}

// newCart makes a cart with one unit of a SKU.
func newCart(t testing.TB, s *store, sku string) claim {
	t.Helper()
	who, _ := newClaim(geo.IDs{}, testRegion.Code)
	if _, err := s.put(t.Context(), who, "USD", modeSet, sku, 1); err != nil {
		t.Fatal(err)
	}
	return who
}

func TestEveryChangeAndEveryReadIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	s, redis := openStore(t)
	who := newCart(t, s, "A")
	lastUse := time.Now().Add(-time.Hour)
	order := contract.OrderChange{OrderID: "ord", CartID: who.id, CartVersion: 1, Lines: []contract.SKUCount{{SKU: "A", Quantity: 1}}}
	lost := cart{id: geo.NewID("crt", "use"), secretHash: who.secretHash, currency: "USD", version: 1}
	steps := map[string]func() error{
		"make":    func() error { newCart(t, s, "A"); return nil },
		"add":     func() error { _, err := s.put(t.Context(), who, "", modeAdd, "A", 1); return err },
		"set":     func() error { _, err := s.put(t.Context(), who, "", modeSet, "B", 3); return err },
		"clear":   func() error { _, err := s.clear(t.Context(), who); return err },
		"confirm": func() error { _, err := s.confirm(t.Context(), order); return err },
		"read":    func() error { _, err := s.find(t.Context(), who.id); return err },
		"restore": func() error { _, err := s.restore(t.Context(), lost, lastUse); return err },
	}
	for _, step := range steps { // a Redis that does not know a script yet is sent it once
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for what, step := range steps {
		before := redis.trips.Load()
		if err := step(); err != nil {
			t.Fatal(err)
		}
		if got := redis.trips.Load() - before; got != 1 {
			t.Errorf("%s: %d round trips", what, got)
		}
	}
}

func TestTheSecretIsNeverSentToRedis(t *testing.T) {
	t.Parallel()
	s, redis := openStore(t)
	who, text := newClaim(geo.IDs{}, testRegion.Code)
	_, secret, _ := strings.Cut(text, ".")
	if _, err := s.put(t.Context(), who, "USD", modeAdd, "A", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.clear(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(redis.sent, hashSecret(secret)) {
		t.Error("the secret's hash was not sent, so this test would find nothing")
	}
	for _, sent := range redis.sent {
		if strings.Contains(sent, secret) {
			t.Errorf("sent %q", sent)
		}
	}
}

func TestACartLivesSevenDaysFromItsLastUse(t *testing.T) {
	t.Parallel()
	s, redis := openStore(t)
	who := newCart(t, s, "A")
	key := s.keys.cart(who.id)
	left := func() time.Duration {
		ms, err := redis.Client.Do(t.Context(), redis.B().Pttl().Key(key).Build()).AsInt64()
		if err != nil {
			t.Fatal(err)
		}
		return time.Duration(ms) * time.Millisecond
	}
	fresh := func(d time.Duration) bool { return d > retention-time.Hour && d <= retention }
	age := func() {
		if err := redis.Client.Do(t.Context(), redis.B().Pexpire().Key(key).Milliseconds(time.Hour.Milliseconds()).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	if d := left(); !fresh(d) {
		t.Errorf("a new cart lives %s", d)
	}
	age()
	if _, err := s.find(t.Context(), who.id); err != nil || !fresh(left()) {
		t.Errorf("a cart that was read lives %s (%v)", left(), err)
	}
	age()
	if _, err := s.put(t.Context(), who, "", modeAdd, "A", 1); err != nil || !fresh(left()) {
		t.Errorf("a cart that was changed lives %s (%v)", left(), err)
	}
	// Most reads prolong nothing, and so write nothing.
	before := redis.trips.Load()
	if _, err := s.find(t.Context(), who.id); err != nil || redis.trips.Load() != before+1 {
		t.Errorf("a read of a fresh cart took %d round trips (%v)", redis.trips.Load()-before, err)
	}
}

func TestACartHoldsNoMoreThanItsLimits(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	who := newCart(t, s, "SKU-0")
	put := func(mode, sku string, quantity int64) error {
		_, err := s.put(t.Context(), who, "", mode, sku, quantity)
		return err
	}
	for i := 1; i < contract.MaxCartLines; i++ {
		if err := put(modeAdd, fmt.Sprintf("SKU-%d", i), 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []string{modeAdd, modeSet} {
		if err := put(mode, "ONE-MORE", 1); contract.CodeOf(err) != contract.CodeInvalid {
			t.Errorf("%s of one line more: %v", mode, err)
		}
		if err := put(mode, "SKU-7", contract.MaxLineQuantity+1); contract.CodeOf(err) != contract.CodeInvalid {
			t.Errorf("%s of too many: %v", mode, err)
		}
	}
	if err := put(modeAdd, "SKU-7", contract.MaxLineQuantity-1); err != nil {
		t.Errorf("a full line: %v", err)
	}
	if err := put(modeAdd, "SKU-7", 1); contract.CodeOf(err) != contract.CodeInvalid {
		t.Errorf("one unit more: %v", err)
	}
	if err := put(modeSet, "SKU-3", 0); err != nil {
		t.Fatal(err)
	}
	if err := put(modeAdd, "ONE-MORE", 1); err != nil {
		t.Errorf("a line in the place of another: %v", err)
	}
}

func TestWhatACartRemembersIsBounded(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	who := newCart(t, s, "KEPT")
	var c cart
	var err error
	for i := range maxTombstones + 5 {
		sku := fmt.Sprintf("SKU-%d", i)
		for _, quantity := range []int64{1, 0} {
			if c, err = s.put(t.Context(), who, "", modeSet, sku, quantity); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := len(c.lines) - len(c.live()); got != maxTombstones || len(c.live()) != 1 {
		t.Errorf("%d tombstones beside %d lines", got, len(c.live()))
	}
	for _, l := range c.lines {
		if l.sku == "SKU-4" {
			t.Error("an old tombstone was kept in place of a newer one")
		}
	}
	for i := range maxOrders + 5 {
		order := contract.OrderChange{OrderID: fmt.Sprintf("ord-%d", i), CartID: who.id, Lines: []contract.SKUCount{{SKU: "KEPT", Quantity: 1}}}
		if _, err := s.put(t.Context(), who, "", modeAdd, "KEPT", 1); err != nil {
			t.Fatal(err)
		}
		if c, err = s.confirm(t.Context(), order); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.orders) != maxOrders || c.orders["ord-4"] != 0 || c.orders["ord-5"] == 0 {
		t.Errorf("%d orders remembered", len(c.orders))
	}
}

func TestAChangeSaysWhyItWasRefused(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	who := newCart(t, s, "A")
	stranger := claim{id: who.id, secretHash: strings.Repeat("0", 64)}
	nobody, _ := newClaim(geo.IDs{}, testRegion.Code)
	for name, c := range map[string]claim{"wrong secret": stranger, "no cart": nobody} {
		if _, err := s.put(t.Context(), c, "", modeAdd, "A", 1); contract.CodeOf(err) != contract.CodeNotFound {
			t.Errorf("%s: put: %v", name, err)
		}
		if _, err := s.clear(t.Context(), c); contract.CodeOf(err) != contract.CodeNotFound {
			t.Errorf("%s: clear: %v", name, err)
		}
	}
	if _, err := s.put(t.Context(), stranger, "USD", modeAdd, "A", 1); contract.CodeOf(err) != contract.CodeNotFound {
		t.Errorf("making a cart that exists: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.find(ctx, who.id); contract.CodeOf(err) != contract.CodeUnavailable {
		t.Errorf("Redis out of reach: %v", err)
	}
}
