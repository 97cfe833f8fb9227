package journeys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/regions/status"
	"github.com/meridian-store/meridian/services/order/breakpoint"
)

// drills is a copy for tests that kill and freeze its processes: every service is one, and sagas can be held at their steps.
type drills struct {
	*shop
	*breakpoint.Drill
	databases map[string]*sqldb.DB
}

var (
	drillsMutex sync.Mutex
	drillsOne   *drills
)

// openDrills gives the copy that the drills share. They take turns: each kills what the others would use. Their files stand together by
// name, and so run one after the other: the first journey after them closes the copy, whose thirty services and their engines cost half a
// core of two even when nobody asks them anything.
func openDrills(t *testing.T) *drills {
	t.Helper()
	program := binary(t)
	drillsMutex.Lock()
	defer drillsMutex.Unlock()
	if drillsOne == nil {
		socket := filepath.Join(scratch, "drill.sock")
		drill, err := breakpoint.Listen(socket)
		if err != nil {
			t.Fatal(err)
		}
		d := &drills{Drill: drill, databases: map[string]*sqldb.DB{}, shop: &shop{
			binary: program, home: filepath.Join(scratch, "drills"), env: []string{"MERIDIAN_ORDER_BREAKPOINTS=" + socket},
		}}
		drillsOne = d // so that what has started is stopped in any case
		d.up(t, enginetest.Ports(t, 100), "--split")
		d.must(t, "seed", "--products", "30")
		for _, service := range []string{contract.ServiceOrder, contract.ServicePayment, contract.ServiceInventory} {
			d.databases[service] = d.database(t, service)
		}
	}
	if len(drillsOne.databases) == 0 {
		t.Fatal("the copy for drills did not start; the first drill says why")
	}
	drillsOne.refresh(t)
	return drillsOne
}

// closeDrills stops the copy for drills, if there is one.
func closeDrills() error {
	drillsMutex.Lock()
	defer drillsMutex.Unlock()
	if drillsOne == nil {
		return nil
	}
	for _, db := range drillsOne.databases {
		db.Close()
	}
	err := drillsOne.Close()
	if down := drillsOne.run(context.Background(), io.Discard, "down"); down != nil {
		err = errors.Join(err, down)
	}
	drillsOne = nil
	return err
}

// database opens a service's database as the owner, who sees what the services wrote.
func (d *drills) database(t *testing.T, service string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(context.WithoutCancel(t.Context()), d.databaseURL(t, service), nil)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// lane is a region with a shopper's place near it.
type lane struct{ location, region, country string }

func lanes() []lane {
	return []lane{{"IAD", "us-east", "US"}, {"DUB", "eu-west", "IE"}, {"SIN", "ap-southeast", "SG"}}
}

// now asks the copy how it is; unlike refresh it may be called from any goroutine.
func (d *drills) now(ctx context.Context) (status.Shop, error) {
	var out bytes.Buffer
	var shop status.Shop
	// What is not ready is told by the document, not by the exit code.
	err := d.run(ctx, &out, "status", "--json")
	if decode := json.Unmarshal(out.Bytes(), &shop); decode != nil {
		return shop, errors.Join(decode, err)
	}
	return shop, nil
}

// service finds a service of a region.
func (d *drills) service(ctx context.Context, region, name string) (status.Service, error) {
	shop, err := d.now(ctx)
	if err != nil {
		return status.Service{}, err
	}
	for _, r := range shop.Regions {
		for _, s := range r.Services {
			if r.Name == region && s.Name == name {
				return s, nil
			}
		}
	}
	return status.Service{}, fmt.Errorf("status shows no %s/%s", region, name)
}

// kill ends a service's process as a crash does; back returns when another serves in its place.
func (d *drills) kill(t *testing.T, region, name string) (back func()) {
	t.Helper()
	victim, err := d.service(t.Context(), region, name)
	if err != nil || victim.PID == 0 {
		t.Fatalf("%s/%s is process %d: %v", region, name, victim.PID, err)
	}
	if err := syscall.Kill(victim.PID, syscall.SIGKILL); err != nil {
		t.Fatalf("kill %s/%s: %v", region, name, err)
	}
	return func() {
		kittest.Eventually(t, func() error {
			now, err := d.service(t.Context(), region, name)
			if err == nil && (now.PID == 0 || now.PID == victim.PID || !now.Ready) {
				err = fmt.Errorf("%s/%s is not back", region, name)
			}
			return err
		})
	}
}

// buyer is a shopper of a drill with one checkout to make.
type buyer struct {
	lane
	cart string // the whole claim
	key  string
	body map[string]any
}

func (b buyer) cartID() string { return b.cart[:len(b.cart)-33] }

// buyer fills a cart with one unit of a SKU.
func (d *drills) buyer(t *testing.T, l lane, sku, token string) buyer {
	t.Helper()
	p := &shopper{shop: d.shop, location: l.location}
	kittest.Eventually(t, func() error { // the region may be coming back from the drill before
		got := p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 1}, nil)
		if got.status != http.StatusOK || got.header.Get(contract.HeaderRegion) != l.region {
			p.cart = ""
			return fmt.Errorf("%s answers %d: %s", got.header.Get(contract.HeaderRegion), got.status, got.body)
		}
		return nil
	})
	return buyer{lane: l, cart: p.cart, key: idempotencyKey()[contract.HeaderIdempotencyKey], body: checkoutBody(token, l.country, "")}
}

// checkout asks once, from a location.
func (d *drills) checkout(ctx context.Context, b buyer, location string) (answer, error) {
	return exchange(ctx, httpclient.Request{
		Method: http.MethodPost, URL: d.status.Edge.URL + "/api/v1/checkout", Body: b.body, Header: map[string]string{
			"X-Edge-Location": location, contract.HeaderCartID: b.cart, contract.HeaderIdempotencyKey: b.key,
		},
	})
}

// send sends a checkout until it is let in: who asks too often is told so before anything has happened. It tells the answer, which does
// not matter to drills about those who get none, or an error; they repeat it in the end.
func (d *drills) send(ctx context.Context, b buyer, location string) string {
	got, err := d.repeat(ctx, b, location, func(got answer, err error) bool { return err == nil && got.status == http.StatusTooManyRequests })
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", got.status, got.body)
}

// final repeats a checkout as a patient client does, until its answer is the last one.
func (d *drills) final(ctx context.Context, b buyer, location string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	return d.repeat(ctx, b, location, func(got answer, err error) bool {
		return err != nil || got.status == http.StatusAccepted || got.status == http.StatusTooManyRequests || got.status >= http.StatusInternalServerError
	})
}

// repeat sends a checkout for as long as its answer is a passing one.
func (d *drills) repeat(ctx context.Context, b buyer, location string, passing func(answer, error) bool) (answer, error) {
	ticker := time.NewTicker(300 * time.Millisecond)
	defer ticker.Stop()
	for {
		got, err := d.checkout(ctx, b, location)
		if !passing(got, err) {
			return got, err
		}
		select {
		case <-ctx.Done():
			return got, fmt.Errorf("still %d %s: %w", got.status, got.body, errors.Join(err, ctx.Err()))
		case <-ticker.C:
		}
	}
}

// row reads one row of a service's database.
func (d *drills) row(ctx context.Context, service, sql string, args []any, into ...any) error {
	if err := d.databases[service].QueryRow(ctx, sql, args...).Scan(into...); err != nil {
		return fmt.Errorf("%s: %w", service, err)
	}
	return nil
}
