package journeys_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
)

const passphrase = "a long walk by the sea"

// tokens is what whoever proves who they are is given.
type tokens struct {
	Access     string        `json:"access_token"`
	Refresh    string        `json:"refresh_token"`
	User       contract.User `json:"user"`
	CartMerged *bool         `json:"cart_merged"`
}

func (k tokens) header() map[string]string {
	return map[string]string{"Authorization": "Bearer " + k.Access}
}

// newEmail gives an address that no other journey uses.
func newEmail() string {
	return "shopper-" + strings.ToLower(geo.NewID("test", "use")[9:]) + "@example.test"
}

// join registers an account where a shopper stands.
func (s *shop) join(t *testing.T, location, email string) tokens {
	t.Helper()
	var made tokens
	body := map[string]string{"email": email, "password": passphrase, "name": "Ann Other"}
	s.ask(t, location, http.MethodPost, "/api/v1/auth/register", body, &made).want(t, http.StatusCreated)
	return made
}

func (s *shop) login(t *testing.T, location, email string, headers ...map[string]string) (tokens, answer) {
	t.Helper()
	return s.signIn(t, location, "/api/v1/auth/login", map[string]string{"email": email, "password": passphrase}, headers...)
}

// signIn logs in or refreshes. No shopper waits for a merge of carts for longer than a second: as long as the answer says that the guest's
// cart is as it was, signIn does what it asks for, and sends the cart's name again with the next refresh.
func (s *shop) signIn(t *testing.T, location, path string, body map[string]string, headers ...map[string]string) (made tokens, got answer) {
	t.Helper()
	kittest.Eventually(t, func() error {
		made = tokens{}
		got = s.ask(t, location, http.MethodPost, path, body, &made, headers...).want(t, http.StatusOK)
		if made.CartMerged == nil || *made.CartMerged {
			return nil
		}
		path, body = "/api/v1/auth/refresh", map[string]string{"refresh_token": made.Refresh}
		return fmt.Errorf("the guest's cart is as it was: %s", got.body)
	})
	return made, got
}

// Not parallel: it freezes a region that others use.
func TestATokenWorksEverywhereWithItsHomeRegionCutOff(t *testing.T) {
	s := openShop(t)
	email := newEmail()
	joined := s.join(t, "DUB", email)
	if joined.User.HomeRegion != "eu-west" || !strings.HasPrefix(joined.User.ID, "usr_euw_") {
		t.Fatalf("registered in Dublin as %+v", joined.User)
	}
	there, got := s.login(t, "SIN", strings.ToUpper(email))
	if region := got.header.Get(contract.HeaderRegion); region != "ap-southeast" || there.User != joined.User {
		t.Fatalf("logged in through %s as %+v", region, there.User)
	}
	s.homedWithoutAddress(t, joined.User, email)
	defer s.freeze(t, "eu-west")()
	for _, location := range []string{"SIN", "IAD", "DUB"} {
		kittest.Eventually(t, func() error { // the edge needs its moment to see that Dublin's region is gone
			var me contract.User
			got := s.ask(t, location, http.MethodGet, "/api/v1/me", nil, &me, there.header())
			if region := got.header.Get(contract.HeaderRegion); got.status != http.StatusOK || region == "eu-west" || me != joined.User {
				return fmt.Errorf("%s is answered by %s: %d %+v", location, region, got.status, me)
			}
			return nil
		})
		s.ask(t, location, http.MethodGet, "/api/v1/cart", nil, nil, there.header()).want(t, http.StatusOK)
		s.ask(t, location, http.MethodGet, "/api/v1/orders", nil, nil, there.header()).want(t, http.StatusOK)
		if again, _ := s.login(t, location, email); again.User != joined.User {
			t.Errorf("%s logs %+v in", location, again.User)
		}
	}
	s.ask(t, "SIN", http.MethodPost, "/api/v1/auth/refresh", map[string]string{"refresh_token": there.Refresh}, &there).want(t, http.StatusOK)
}

// homedWithoutAddress looks as the owner of the database: the user's row is in their home region, and the directory knows no address.
func (s *shop) homedWithoutAddress(t *testing.T, user contract.User, email string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.databaseURL(t, contract.ServiceIdentity))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	var region string
	if err := conn.QueryRow(t.Context(), `SELECT crdb_region FROM users WHERE id = $1`, user.ID).Scan(&region); err != nil || region != "eu-west" {
		t.Errorf("the user's row is homed in %q (%v)", region, err)
	}
	rows, err := conn.Query(t.Context(), `SELECT * FROM login_directory`)
	if err != nil {
		t.Fatal(err)
	}
	columns := rows.FieldDescriptions()
	entries, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil || len(entries) == 0 || len(columns) != 2 {
		t.Fatalf("the directory has %d entries of %d columns (%v)", len(entries), len(columns), err)
	}
	plain := sha256.Sum256([]byte(email))
	for _, entry := range entries {
		hash, isBytes := entry["address_hash"].([]byte)
		if region, _ := entry["home_region"].(string); !isBytes || len(hash) != sha256.Size || !slices.Contains([]string{"us-east", "eu-west", "ap-southeast"}, region) {
			t.Fatalf("the directory holds %v", entry)
		}
		if hex.EncodeToString(hash) == hex.EncodeToString(plain[:]) {
			t.Error("whoever guesses an address can find it in the directory: its hash has no key")
		}
	}
}

// freeze stops a region's processes without ending them, so that nobody starts them anew. thaw lets them go on and waits until the
// region takes shoppers again.
func (s *shop) freeze(t *testing.T, region string) (thaw func()) {
	t.Helper()
	frozen := map[int]bool{}
	for _, r := range s.status.Regions {
		for _, service := range r.Services {
			if r.Name == region {
				frozen[service.PID] = true
			}
		}
	}
	if len(frozen) == 0 {
		t.Fatalf("status shows no process of %s", region)
	}
	for pid := range frozen {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatalf("freeze %s: %v", region, err)
		}
	}
	return func() {
		for pid := range frozen {
			// One that was found hanging and started anew is not there to go on.
			if err := syscall.Kill(pid, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Errorf("let %s go on: %v", region, err)
			}
		}
		kittest.Eventually(t, func() error {
			got := s.ask(t, "DUB", http.MethodGet, "/api/v1/regions", nil, nil)
			if s.refresh(t); !s.status.Ready || got.header.Get(contract.HeaderRegion) != region {
				return fmt.Errorf("%s is not back", region)
			}
			return nil
		})
	}
}

func TestAGuestsCartBecomesTheUsersOnceAndNobodyElses(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	email := newEmail()
	user := s.join(t, "IAD", email)
	guest := &shopper{shop: s, location: "IAD"}
	variants := guest.browse(t, 0, 25)
	var cart contract.Cart
	add := func(variant contract.Variant, quantity int, ask func(in any)) {
		ask(map[string]any{"sku": variant.SKU, "quantity": quantity})
	}
	want := map[string]int64{}
	for _, variant := range variants[:10] {
		want[variant.SKU]++
		add(variant, 1, func(in any) {
			s.ask(t, "IAD", http.MethodPost, "/api/v1/cart/items", in, &cart, user.header()).want(t, http.StatusOK)
		})
	}
	for _, variant := range variants[5:] {
		want[variant.SKU] += 2
		add(variant, 2, func(in any) { guest.ask(t, http.MethodPost, "/api/v1/cart/items", in, nil).want(t, http.StatusOK) })
	}
	var merged contract.Cart
	for n := range 2 {
		got, _ := s.login(t, "IAD", email, map[string]string{contract.HeaderCartID: guest.cart})
		if got.CartMerged == nil || !*got.CartMerged {
			t.Fatalf("login %d did not merge: %+v", n+1, got.CartMerged)
		}
		var now contract.Cart
		s.ask(t, "IAD", http.MethodGet, "/api/v1/cart", nil, &now, got.header()).want(t, http.StatusOK)
		have := map[string]int64{}
		for _, line := range now.Lines {
			have[line.SKU] = line.Quantity
		}
		if diff := cmp.Diff(want, have); diff != "" || len(now.Lines) != 25 {
			t.Fatalf("after login %d the cart has %d lines (-want +got):\n%s", n+1, len(now.Lines), diff)
		}
		if n == 1 && (now.Version != merged.Version || now.ID != merged.ID) {
			t.Errorf("the second login changed the cart from version %d to %d", merged.Version, now.Version)
		}
		merged = now
	}
	if merged.ID != cart.ID {
		t.Errorf("the user's cart was %s and is %s", cart.ID, merged.ID)
	}
	guest.ask(t, http.MethodGet, "/api/v1/cart", nil, nil).want(t, http.StatusNotFound)

	stranger := s.join(t, "IAD", newEmail())
	for _, name := range []string{merged.ID, merged.ID + ".user", merged.ID + ".00000000000000000000000000000000", user.User.ID} {
		for _, headers := range []map[string]string{{}, stranger.header()} {
			with := map[string]string{contract.HeaderCartID: name}
			s.ask(t, "IAD", http.MethodGet, "/api/v1/cart", nil, nil, headers, with).want(t, http.StatusNotFound)
		}
	}
	var theirs contract.Cart
	s.ask(t, "IAD", http.MethodGet, "/api/v1/cart", nil, &theirs, stranger.header()).want(t, http.StatusOK)
	if len(theirs.Lines) != 0 {
		t.Errorf("a stranger has %+v", theirs.Lines)
	}
}

func TestAUserBuysTheirCartAndFindsTheOrder(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	user := s.join(t, "SIN", newEmail())
	p := &shopper{shop: s, location: "SIN"}
	line := map[string]any{"sku": p.browse(t, 26, 1)[0].SKU, "quantity": 1}
	p.ask(t, http.MethodPost, "/api/v1/cart/items", line, nil, user.header()).want(t, http.StatusOK)
	if p.cart != "" {
		t.Fatalf("a user's cart was given the name %s", p.cart)
	}
	var order contract.Order
	p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", "SG", ""), &order, user.header(), idempotencyKey()).want(t, http.StatusCreated)
	var list struct {
		Items []contract.Order `json:"items"`
	}
	s.ask(t, "IAD", http.MethodGet, "/api/v1/orders", nil, &list, user.header()).want(t, http.StatusOK) // in another region too
	if len(list.Items) != 1 || list.Items[0].ID != order.ID {
		t.Fatalf("the user's orders are %+v", list.Items)
	}
	s.ask(t, "IAD", http.MethodGet, "/api/v1/orders/"+order.ID, nil, nil, user.header()).want(t, http.StatusOK)
	kittest.Eventually(t, func() error {
		var cart contract.Cart
		p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart, user.header()).want(t, http.StatusOK)
		if len(cart.Lines) != 0 {
			return fmt.Errorf("the cart still holds %+v", cart.Lines)
		}
		return nil
	})
	var export struct {
		User   contract.User    `json:"user"`
		Orders []contract.Order `json:"orders"`
	}
	s.ask(t, "DUB", http.MethodGet, "/api/v1/me/export", nil, &export, user.header()).want(t, http.StatusOK)
	if export.User != user.User || len(export.Orders) != 1 {
		t.Errorf("the export holds %+v", export)
	}
	var keys struct {
		Keys []map[string]string `json:"keys"`
	}
	s.ask(t, "SIN", http.MethodGet, "/.well-known/jwks.json", nil, &keys).want(t, http.StatusOK)
	if len(keys.Keys) != 3 {
		t.Errorf("the published keys are %+v", keys.Keys)
	}
}
