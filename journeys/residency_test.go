package journeys_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// plant makes the personal data of one shopper, of words that are nowhere else.
func plant() marks {
	planted := marks{}
	for _, what := range []string{"email", "name", "changed name", "password", "recipient", "street", "phone", "city", "postal code", "refused street"} {
		id := strings.ToLower(geo.NewID("mrk", "use"))
		planted[what] = "qz" + id[len(id)-16:]
	}
	return planted
}

func (m marks) email() string { return m["email"] + "@example.test" }

func (m marks) address(street string) contract.Address {
	return contract.Address{
		Name: m["recipient"] + " Ward", Line1: "1 " + m[street], Line2: "Tel. " + m["phone"], City: m["city"], PostalCode: m["postal code"], Country: "IE",
	}
}

// Personal data that a shopper gives in Dublin is in the rows that are homed there, and nowhere else: in no row of another region, in
// no table that all regions read, in no event, cache, registry or log of any region, and not with the payment provider. Not parallel: it
// reads all that the shop keeps, which is less before the sales that come after it.
func TestPersonalDataStaysInItsHomeRegionsRows(t *testing.T) {
	s := openShop(t)
	planted := plant()
	orders := s.liveIn(t, planted, "DUB")
	for _, region := range []string{"us-east", "eu-west", "ap-southeast"} {
		s.awaitOrders(t, region, orders)
	}
	found := s.searchEverywhere(t, planted, "eu-west")
	for _, where := range found.found() {
		t.Error(where)
	}
	for _, kind := range []string{"records", "Redis keys", "Consul answers", "files", "tables", "rows"} {
		if found.reads[kind] == 0 {
			t.Errorf("no %s were searched", kind)
		}
	}
	// It is where it should be: a search that reads no rows at all would be content too.
	home := s.searchRows(t, planted, "nowhere")
	for what := range planted {
		want := !slices.Contains([]string{"password", "name", "refused street"}, what)
		kept := slices.ContainsFunc(home.found(), func(where string) bool { return strings.HasPrefix(where, "the "+what+" is in ") })
		if kept != want {
			t.Errorf("the %s is in the home region's rows: %t, want %t", what, kept, want)
		}
	}
	t.Logf("%d marks of one shopper of eu-west, searched for in %v, are in %d places outside its rows and in %d of them", len(planted), found.reads, len(found.found()), len(home.found()))
}

// liveIn has a shopper give all that the shop asks of one, and gives the ids of what they ordered.
func (s *shop) liveIn(t *testing.T, planted marks, location string) (orders []string) {
	t.Helper()
	credentials := map[string]string{"email": planted.email(), "password": planted["password"], "name": planted["name"]}
	var who tokens
	s.ask(t, location, http.MethodPost, "/api/v1/auth/register", credentials, &who).want(t, http.StatusCreated)
	s.ask(t, location, http.MethodPost, "/api/v1/auth/register", credentials, nil).want(t, http.StatusConflict)
	wrong := map[string]string{"email": planted.email(), "password": planted["password"] + "x"}
	s.ask(t, "SIN", http.MethodPost, "/api/v1/auth/login", wrong, nil).want(t, http.StatusUnauthorized)
	change := map[string]any{"name": planted["changed name"]}
	s.ask(t, location, http.MethodPatch, "/api/v1/me", change, nil, who.header(), map[string]string{"Content-Type": "application/merge-patch+json"}).want(t, http.StatusOK)
	s.ask(t, location, http.MethodPost, "/api/v1/me/addresses", planted.address("street"), nil, who.header()).want(t, http.StatusCreated)
	refused := planted.address("refused street")
	refused.Country = "Éire"
	s.ask(t, location, http.MethodPost, "/api/v1/me/addresses", refused, nil, who.header()).want(t, http.StatusBadRequest)
	// What passes through another region leaves nothing there.
	var elsewhere tokens
	s.ask(t, "SIN", http.MethodPost, "/api/v1/auth/login", map[string]string{"email": planted.email(), "password": planted["password"]}, &elsewhere).want(t, http.StatusOK)
	for _, path := range []string{"/api/v1/me", "/api/v1/me/addresses", "/api/v1/me/export"} {
		s.ask(t, "SIN", http.MethodGet, path, nil, nil, elsewhere.header()).want(t, http.StatusOK)
	}
	for n, headers := range []map[string]string{who.header(), {}} { // with an account, and as a guest
		for _, token := range []string{"tok_visa", "tok_chargeDeclined"} {
			p := &shopper{shop: s, location: location}
			sku := p.browse(t, 30+n, 1)[0].SKU
			p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 1}, nil, headers).want(t, http.StatusOK)
			body := map[string]any{
				"payment": map[string]string{"token": token}, "email": planted.email(), "shipping_address": planted.address("street"), "shipping_method": "standard",
			}
			quote := map[string]any{"shipping_address": planted.address("street"), "shipping_method": "standard"}
			p.ask(t, http.MethodPost, "/api/v1/checkout/quote", quote, nil, headers).want(t, http.StatusOK)
			var order contract.Order
			got := p.ask(t, http.MethodPost, "/api/v1/checkout", body, &order, headers, idempotencyKey())
			if token != "tok_visa" {
				got.want(t, http.StatusPaymentRequired)
				continue
			}
			got.want(t, http.StatusCreated)
			orders = append(orders, order.ID)
			if n == 0 {
				s.ask(t, "SIN", http.MethodGet, "/api/v1/orders/"+order.ID, nil, nil, headers).want(t, http.StatusOK)
			}
		}
	}
	return orders
}

// searchEverywhere searches all that a copy keeps, but the rows that are homed in a region.
func (s *shop) searchEverywhere(t *testing.T, planted marks, home string) *search {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	found := s.searchRows(t, planted, home)
	place, err := launcher.OpenHome(s.home)
	if err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{"us-east", "eu-west", "ap-southeast"} {
		address, password, err := launcher.RedisOf(place, region)
		if err != nil {
			t.Fatal(err)
		}
		if err := found.redis(ctx, "the Redis of "+region, address, password); err != nil {
			t.Fatal(err)
		}
		if err := found.consul(ctx, "the Consul of "+region, s.engine(t, region, "consul").Address); err != nil {
			t.Fatal(err)
		}
		if err := found.broker(ctx, "the broker of "+region, s.engine(t, region, "broker").Address); err != nil {
			t.Fatal(err)
		}
	}
	// Logs, state, and the files of all engines but the SQL server, whose rows of all regions are in the same ones.
	if err := found.files(place.Dir(), place.Path("data", "postgres")); err != nil {
		t.Fatal(err)
	}
	err = s.ledger(t).Charges(ctx, time.Unix(0, 0), func(charge provider.Intent) error {
		content, err := json.Marshal(charge)
		found.in("charges", fmt.Sprintf("the provider's charge %s", charge.ID), content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// searchRows searches the rows that are not homed in a region.
func (s *shop) searchRows(t *testing.T, planted marks, home string) *search {
	t.Helper()
	place, err := launcher.OpenHome(s.home)
	if err != nil {
		t.Fatal(err)
	}
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	owner, err := launcher.SQLOwnerURL(place, all)
	if err != nil {
		t.Fatal(err)
	}
	found := searchFor(planted)
	if err := found.sql(t.Context(), owner, home); err != nil {
		t.Fatal(err)
	}
	return found
}
