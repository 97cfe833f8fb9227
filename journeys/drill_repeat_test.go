package journeys_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/launcher"
)

// TestACheckoutIsOneOrderHoweverOftenItIsSent repeats one checkout in every way that a client, a network or an operator may cause.
func TestACheckoutIsOneOrderHoweverOftenItIsSent(t *testing.T) {
	d := openDrills(t)
	d.drillSKU(t, "DRILL-REPEAT")
	home := lanes()[0]
	b := d.buyer(t, home, "DRILL-REPEAT", "tok_visa")
	const atOnce = 50
	finals := make([]answer, atOnce)
	var group sync.WaitGroup
	for i := range finals {
		group.Go(func() {
			var err error
			if finals[i], err = d.final(t.Context(), b, home.location); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() || finals[0].status != http.StatusCreated {
		t.Fatalf("%d: %s", finals[0].status, finals[0].body)
	}
	same := func(how string, got answer) {
		if got.status != finals[0].status || string(got.body) != string(finals[0].body) || got.header.Get("Location") != finals[0].header.Get("Location") {
			t.Errorf("%s: %d %s, not %d %s", how, got.status, got.body, finals[0].status, finals[0].body)
		}
	}
	for _, final := range finals {
		same("at once", final)
	}
	again := func(how, location string) {
		got, err := d.final(t.Context(), b, location)
		if err != nil {
			t.Error(err)
		}
		same(how, got)
	}
	again("after the end", home.location)
	for _, l := range lanes()[1:] {
		again("at the edge near "+l.region, l.location)
	}
	d.wipeRedis(t, home.region)
	again("with Redis wiped", home.location)
	for _, l := range lanes()[1:] {
		again("with Redis wiped, at the edge near "+l.region, l.location)
	}
	other := b
	other.body = checkoutBody("tok_mastercard", home.country, "")
	if got, err := d.final(t.Context(), other, home.location); err != nil || got.status != http.StatusUnprocessableEntity {
		t.Errorf("the same key with another body: %d %s (%v)", got.status, got.body, err)
	}
	d.endedOnce(t, b, http.StatusCreated)
	t.Logf("one checkout sent %d times at once, then after its end, through the other regions, and with Redis wiped: one order, byte-identical answers", atOnce)
}

// TestTwoKeysBuyOneCartOnce buys one cart under several keys at once.
func TestTwoKeysBuyOneCartOnce(t *testing.T) {
	d := openDrills(t)
	d.drillSKU(t, "DRILL-KEYS")
	b := d.buyer(t, lanes()[0], "DRILL-KEYS", "tok_visa")
	const keys = 9
	buyers, finals := make([]buyer, keys), make([]answer, keys)
	var group sync.WaitGroup
	for i := range keys {
		buyers[i] = b
		buyers[i].key = idempotencyKey()[contract.HeaderIdempotencyKey]
		group.Go(func() {
			var err error
			if finals[i], err = d.final(t.Context(), buyers[i], b.location); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	bought := 0
	for i, final := range finals {
		switch final.status {
		case http.StatusCreated:
			bought++
			d.endedOnce(t, buyers[i], http.StatusCreated)
		case http.StatusConflict: // another key is buying it, or has
		case http.StatusBadRequest: // the order's event has emptied it already
		default:
			t.Errorf("%d: %s", final.status, final.body)
		}
	}
	if bought != 1 {
		t.Errorf("%d of %d keys bought the cart", bought, keys)
	}
	t.Logf("%d keys on one cart at once: %d order", keys, bought)
}

// wipeRedis loses everything that a region's Redis holds.
func (d *drills) wipeRedis(t *testing.T, region string) {
	t.Helper()
	home, err := launcher.OpenHome(d.home)
	if err != nil {
		t.Fatal(err)
	}
	address, password, err := launcher.RedisOf(home, region)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, Password: password, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Do(t.Context(), client.B().Flushall().Build()).Error(); err != nil {
		t.Fatal(err)
	}
}
