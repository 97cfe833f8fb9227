package journeys_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/regions/cluster"
	"github.com/meridian-store/meridian/regions/status"
)

// engine finds an engine of a region in the copy's status.
func (s *shop) engine(t *testing.T, region, name string) status.Engine {
	t.Helper()
	for _, r := range s.status.Regions {
		if engine, found := r.Engine(name); found && r.Name == region {
			return engine
		}
	}
	t.Fatalf("status shows no %s in %s", name, region)
	return status.Engine{}
}

// part is one process of a running copy.
type part struct {
	name string
	pid  int
}

func partsOf(shop status.Shop) []part {
	parts := []part{
		{"edge", shop.Edge.PID}, {"provider", shop.Provider.PID}, {"postgres", shop.SQL.PID}, {"links", shop.Links.PID},
	}
	for _, region := range shop.Regions {
		for _, service := range region.Services {
			parts = append(parts, part{region.Name + "/" + service.Name, service.PID})
		}
		for _, engine := range region.Engines {
			parts = append(parts, part{region.Name + "/" + engine.Name, engine.PID})
		}
	}
	return parts
}

// Not parallel: it kills what the others use.
func TestAnyProcessThatIsKilledComesBackAndNothingIsLost(t *testing.T) {
	s := openShop(t)
	p := &shopper{shop: s, location: "IAD"}
	sku := p.browse(t, 14, 1)[0].SKU
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 1}, nil).want(t, http.StatusOK)
	var order contract.Order
	p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", "US", ""), &order, idempotencyKey()).want(t, http.StatusCreated)
	s.settlesReserved(t, sku)
	onHand, _ := s.onHand(t, sku)
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 2}, nil).want(t, http.StatusOK)
	awaitAppended(t)
	killed := map[int]bool{}
	for _, victim := range partsOf(s.status) {
		if killed[victim.pid] {
			continue // the services of one region share a process
		}
		killed[victim.pid] = true
		s.killAndAwait(t, victim)
	}
	if want := 4 + 3*(1+4); len(killed) != want {
		t.Fatalf("%d processes were killed, want %d", len(killed), want)
	}
	s.worksAgain(t, p, sku, order, onHand)
	s.awaitNearest(t)
}

// awaitNearest waits until the edge has seen that every region is back: until then, those who come next are served elsewhere.
func (s *shop) awaitNearest(t *testing.T) {
	t.Helper()
	kittest.Eventually(t, func() error {
		for _, l := range lanes() {
			if got := s.ask(t, l.location, http.MethodGet, "/api/v1/regions", nil, nil); got.header.Get(contract.HeaderRegion) != l.region {
				return fmt.Errorf("%s is served by %q", l.location, got.header.Get(contract.HeaderRegion))
			}
		}
		return nil
	})
}

// awaitAppended waits until Redis has had the second after which it syncs its file: what a killed Redis may lose is the last one.
func awaitAppended(t *testing.T) {
	t.Helper()
	begun := time.Now()
	kittest.Eventually(t, func() error {
		if time.Since(begun) < 1500*time.Millisecond {
			return errors.New("the last second is not over")
		}
		return nil
	})
}

func (s *shop) killAndAwait(t *testing.T, victim part) {
	t.Helper()
	before, err := process.Identify(victim.pid)
	if err != nil {
		t.Fatalf("%s: %v", victim.name, err)
	}
	if err := syscall.Kill(victim.pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill %s: %v", victim.name, err)
	}
	kittest.Eventually(t, func() error {
		if before.Alive() {
			return fmt.Errorf("%s still lives", victim.name)
		}
		s.refresh(t)
		i := slices.IndexFunc(partsOf(s.status), func(p part) bool { return p.name == victim.name })
		if now := partsOf(s.status)[i]; now.pid == 0 || now.pid == victim.pid || !s.status.Ready {
			return fmt.Errorf("%s is not back: process %d, the whole ready: %t", victim.name, now.pid, s.status.Ready)
		}
		return nil
	})
}

// worksAgain finds order, stock and cart as they were, and buys again.
func (s *shop) worksAgain(t *testing.T, p *shopper, sku string, order contract.Order, onHand int64) {
	t.Helper()
	kittest.Eventually(t, func() error {
		var read contract.Order
		if got := p.ask(t, http.MethodGet, "/api/v1/orders/"+order.ID, nil, &read); got.status != http.StatusOK || read.Total != order.Total {
			return fmt.Errorf("the order reads %d %s", got.status, got.body)
		}
		var cart contract.Cart
		if got := p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart); got.status != http.StatusOK || len(cart.Lines) != 1 || cart.Lines[0].Quantity != 2 {
			return fmt.Errorf("the cart reads %d %s", got.status, got.body)
		}
		return nil
	})
	if now, _ := s.onHand(t, sku); now != onHand {
		t.Fatalf("%d on hand after the kills, %d before", now, onHand)
	}
	kittest.Eventually(t, func() error {
		if got := p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", "US", ""), nil, idempotencyKey()); got.status != http.StatusCreated {
			return fmt.Errorf("buying again gives %d: %s", got.status, got.body)
		}
		return nil
	})
}

// settlesReserved waits until nothing of a SKU is reserved: its sale has been applied.
func (s *shop) settlesReserved(t *testing.T, sku string) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if _, reserved := s.onHand(t, sku); reserved != 0 {
			return fmt.Errorf("%d of %s are still reserved", reserved, sku)
		}
		return nil
	})
}

// Not parallel: it starts a second copy, split into processes, beside the shared one.
func TestUpSplitIsReapedRestartedAndTakenDown(t *testing.T) {
	s := &shop{binary: binary(t), home: filepath.Join(t.TempDir(), "home")}
	base := enginetest.Ports(t, 100)
	t.Cleanup(func() {
		if left, err := process.Find(s.home); err != nil || len(left) > 0 {
			t.Errorf("processes are left behind: %v (%v)", left, err)
		}
	})
	t.Cleanup(func() { s.must(t, "down") })
	s.up(t, base, "--split")
	pids := map[int]bool{}
	for _, p := range partsOf(s.status) {
		pids[p.pid] = true
	}
	if want := 4 + 3*(len(cluster.Names())+4); len(pids) != want {
		t.Errorf("--split runs %d processes, want %d", len(pids), want)
	}
	err := s.run(t.Context(), os.Stderr, "up", "--detach", "--base-port", "9999")
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(s.status.PID)) || !strings.Contains(err.Error(), s.home) {
		t.Errorf("a second up on the same home: got %v, want an error that names the running process and its home", err)
	}
	old := s.status
	launcher, err := process.Identify(old.PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(old.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	kittest.Eventually(t, func() error {
		if launcher.Alive() {
			return errors.New("up still lives")
		}
		return nil
	})
	if out := new(strings.Builder); s.run(t.Context(), out, "status") == nil {
		t.Error("status is content although up was killed")
	}
	s.up(t, base)
	for _, p := range partsOf(old) {
		id, err := process.Identify(p.pid)
		if err == nil && id.Alive() && slices.Contains(marked(t, s.home), id.PID) && !slices.ContainsFunc(partsOf(s.status), func(now part) bool { return now.pid == p.pid }) {
			t.Errorf("%s (process %d) of the killed up still lives", p.name, p.pid)
		}
	}
	s.must(t, "down")
	if err := s.run(context.WithoutCancel(t.Context()), new(strings.Builder), "status"); err == nil {
		t.Error("status is content after down")
	}
}

func marked(t *testing.T, home string) []int {
	t.Helper()
	found, err := process.Find(home)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, id := range found {
		pids = append(pids, id.PID)
	}
	return pids
}
