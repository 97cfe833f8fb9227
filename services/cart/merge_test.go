package cart

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/auth"
)

// user is a shopper with a token and no name of a cart.
type user struct {
	shop
	id, token string
}

func (s shop) user(t *testing.T) *user {
	t.Helper()
	id := geo.NewID(contract.KindUser, "use")
	return &user{shop: s, id: id, token: s.tokenOf(t, id)}
}

func (u *user) header() map[string]string { return map[string]string{"Authorization": u.token} }

func (u *user) do(t *testing.T, method, path string, in any) contract.Cart {
	t.Helper()
	var cart contract.Cart
	response := u.Do(t, method, path, in, &cart, u.header())
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %v", method, path, response.StatusCode, problemOf(t, response))
	}
	if response.Header.Get(contract.HeaderCartID) != "" || response.Header.Get("Set-Cookie") != "" {
		t.Fatalf("a user's cart was given a name: %v", response.Header)
	}
	return cart
}

func (u *user) add(t *testing.T, sku string, quantity int64) contract.Cart {
	t.Helper()
	return u.do(t, http.MethodPost, "/api/v1/cart/items", contract.SKUCount{SKU: sku, Quantity: quantity})
}

func (u *user) read(t *testing.T) contract.Cart {
	t.Helper()
	return u.do(t, http.MethodGet, "/api/v1/cart", nil)
}

// merge moves a guest's cart into the user's, as identity does at login.
func (u *user) merge(t *testing.T, guest string) contract.CartMerge {
	t.Helper()
	var merge contract.CartMerge
	headers := u.Internal()
	headers[contract.HeaderCartID] = guest
	response := u.Do(t, http.MethodPost, "/internal/v1/carts/merge", contract.CartMergeRequest{UserID: u.id}, &merge, headers)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("merge: %d %v", response.StatusCode, problemOf(t, response))
	}
	return merge
}

func (s shop) tokenOf(t *testing.T, subject string) string {
	t.Helper()
	seed, err := hex.DecodeString(s.Settings["MERIDIAN_SIGNING_SEED"])
	if err != nil {
		t.Fatal(err)
	}
	signer, err := auth.NewSigner(s.Region.Name, seed)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Mint(subject, contract.RoleShopper, s.clock.now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

func sku(n int) string { return fmt.Sprintf("SKU-%02d", n) }

func TestATwentyLineGuestCartMergesIntoATenLineUsersCartOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, g := s.user(t), &shopper{shop: s}
	var want []contract.SKUCount
	for n := range 10 { // 0 to 9, of which the guest has 5 to 9 too
		u.add(t, sku(n), int64(n+1))
		want = append(want, contract.SKUCount{SKU: sku(n), Quantity: int64(n + 1)})
	}
	for n := 24; n >= 5; n-- { // the guest's order is kept, not the alphabet's
		g.add(t, sku(n), 2)
		if n < 10 {
			want[n].Quantity += 2
		}
	}
	for n := 24; n >= 10; n-- {
		want = append(want, contract.SKUCount{SKU: sku(n), Quantity: 2})
	}
	first := u.merge(t, g.name)
	after := u.read(t)
	wantLines(t, after, want...)
	second := u.merge(t, g.name)
	if diff := cmp.Diff(first, second); diff != "" || !first.Merged || len(first.LeftOut) != 0 {
		t.Errorf("the second merge says (-first +second):\n%s", diff)
	}
	again := u.read(t)
	if diff := cmp.Diff(after, again); diff != "" {
		t.Errorf("the second merge changed the cart:\n%s", diff)
	}
	u.do(t, http.MethodDelete, "/api/v1/cart", nil)
	u.merge(t, g.name)
	wantLines(t, u.read(t)) // what was taken out does not come back
}

func TestAGuestsCartIsClosedByTheMerge(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, g, other := s.user(t), &shopper{shop: s}, s.user(t)
	g.add(t, "A", 1)
	old := g.name
	u.merge(t, old)
	for _, request := range []struct {
		method, path string
		body         any
	}{{http.MethodGet, "/api/v1/cart", nil}, {http.MethodDelete, "/api/v1/cart", nil}, {http.MethodDelete, "/api/v1/cart/items/A", nil}} {
		if response := s.Do(t, request.method, request.path, request.body, nil, g.header()); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s of a merged cart: %d", request.method, request.path, response.StatusCode)
		}
	}
	if merge := other.merge(t, old); !merge.Merged || len(other.read(t).Lines) != 0 {
		t.Errorf("another user took it too: %+v", merge)
	}
	g.add(t, "B", 1) // a new cart
	if g.name == old {
		t.Error("the closed cart was added to")
	}
	wantLines(t, u.read(t), contract.SKUCount{SKU: "A", Quantity: 1})
}

func TestAUsersCartIsReachedByTheirTokenAlone(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, stranger := s.user(t), s.user(t)
	id := u.add(t, "A", 2).ID
	if id != contract.UserCartID(u.id) {
		t.Fatalf("the cart is %s", id)
	}
	if got := stranger.read(t); len(got.Lines) != 0 {
		t.Errorf("a stranger sees %+v", got.Lines)
	}
	for _, name := range []string{id, id + ".", id + ".user", id + "." + ownedByUser, id + ".00000000000000000000000000000000", u.id, u.id + ".user"} {
		for _, with := range []map[string]string{{contract.HeaderCartID: name}, {contract.HeaderCartID: name, "Authorization": stranger.token}, {"Cookie": "cart=" + name}} {
			var got contract.Cart
			if response := s.Do(t, http.MethodGet, "/api/v1/cart", nil, &got, with); response.StatusCode == http.StatusOK && len(got.Lines) > 0 {
				t.Errorf("%v opens %+v", with, got)
			}
			s.Do(t, http.MethodPost, "/api/v1/cart/items", contract.SKUCount{SKU: "B", Quantity: 1}, nil, with)
			s.Do(t, http.MethodDelete, "/api/v1/cart", nil, nil, with)
		}
		stranger.merge(t, name)
	}
	wantLines(t, u.read(t), contract.SKUCount{SKU: "A", Quantity: 2})
	operator := map[string]string{"Authorization": s.Token(t, contract.RoleAdmin)}
	var got contract.Cart
	if response := s.Do(t, http.MethodGet, "/api/v1/cart", nil, &got, operator); response.StatusCode != http.StatusOK || got.ID != "" {
		t.Errorf("a token that is no user's has a cart: %+v", got)
	}
}

func TestTheHeaderGoesBeforeTheTokenAndTheTokenBeforeTheCookie(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, g := s.user(t), &shopper{shop: s}
	g.add(t, "GUEST", 1)
	u.add(t, "OWN", 1)
	for header, want := range map[string]string{contract.HeaderCartID: "GUEST", "Cookie": "OWN"} {
		value := g.name
		if header == "Cookie" {
			value = "cart=" + g.name
		}
		var got contract.Cart
		response := s.Do(t, http.MethodGet, "/api/v1/cart", nil, &got, u.header(), map[string]string{header: value})
		if response.StatusCode != http.StatusOK || len(got.Lines) != 1 || got.Lines[0].SKU != want {
			t.Errorf("with %s: %d %+v", header, response.StatusCode, got.Lines)
		}
	}
}

func TestAMergeTellsWhatDidNotFit(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, g := s.user(t), &shopper{shop: s}
	for n := range contract.MaxCartLines - 1 {
		if err := s.fillUser(t, u, sku(n)+"-OWN", 1); err != nil {
			t.Fatal(err)
		}
	}
	u.add(t, "BOTH", 990)
	g.add(t, "BOTH", 20)
	g.add(t, "NEW", 3)
	merge := u.merge(t, g.name)
	want := []contract.SKUCount{{SKU: "BOTH", Quantity: 11}, {SKU: "NEW", Quantity: 3}}
	if diff := cmp.Diff(want, merge.LeftOut); diff != "" || !merge.Merged {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	if got := u.read(t); len(got.Lines) != contract.MaxCartLines || got.Lines[contract.MaxCartLines-1].Quantity != contract.MaxLineQuantity {
		t.Errorf("%d lines, the last %+v", len(got.Lines), got.Lines[len(got.Lines)-1])
	}
}

// fillUser adds to a user's cart without asking for prices.
func (s shop) fillUser(t testing.TB, u *user, sku string, quantity int64) error {
	t.Helper()
	who, _ := claimOfUser(u.id)
	st := newStore(openRedis(t), s.Env.Namespace, s.Region.Region, s.clock.now, func() {})
	_, err := st.put(t.Context(), who, "USD", modeAdd, sku, quantity)
	return err
}

// However a merge is cut off, and whoever goes on, the user's cart gets every line once.
func TestAMergeThatIsCutOffGoesOn(t *testing.T) {
	t.Parallel()
	client := openRedis(t)
	region := geo.Region{Name: "us-east", Code: "use"}
	rapid.Check(t, func(rt *rapid.T) {
		namespace := geo.NewID("test", "use") + "-"
		st := newStore(client, namespace, region, time.Now, func() {})
		owner, _ := claimOfUser(geo.NewID(contract.KindUser, "use"))
		guest, _ := newClaim(geo.IDs{}, "use")
		lines := rapid.MapOf(rapid.StringMatching(`[A-F]`), rapid.Int64Range(1, 600))
		own, guests := lines.Draw(rt, "own"), lines.Draw(rt, "guest's")
		want := map[string]int64{}
		for _, cart := range []struct {
			who   claim
			lines map[string]int64
		}{{owner, own}, {guest, guests}} {
			for sku, quantity := range cart.lines {
				if _, err := st.put(t.Context(), cart.who, "USD", modeSet, sku, quantity); err != nil {
					rt.Fatal(err)
				}
				want[sku] = min(want[sku]+quantity, contract.MaxLineQuantity)
			}
		}
		if len(guests) == 0 {
			return // there is no such cart
		}
		steps := rapid.SliceOfN(rapid.IntRange(1, 3), 0, 4).Draw(rt, "attempts cut off after step")
		for _, step := range append(steps, 3) {
			frozen, err := st.change(t.Context(), st.scripts.freeze, guest.id, guest.secretHash, owner.id)
			if err != nil {
				rt.Fatal(err)
			}
			if step >= 2 {
				if _, err := st.absorb(t.Context(), owner, frozen); err != nil {
					rt.Fatal(err)
				}
			}
			if step >= 3 {
				if _, err := st.change(t.Context(), st.scripts.empty, guest.id, owner.id); err != nil {
					rt.Fatal(err)
				}
			}
		}
		got, err := st.find(t.Context(), owner.id)
		if err != nil {
			rt.Fatal(err)
		}
		have := map[string]int64{}
		for _, l := range got.live() {
			have[l.sku] = l.quantity
			if l.version > got.version || l.added > l.version {
				rt.Fatalf("line %+v of a cart at version %d", l, got.version)
			}
		}
		if diff := cmp.Diff(want, have); diff != "" {
			rt.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhatAGuestBoughtLeavesTheUsersCartToo(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, g := s.user(t), &shopper{shop: s}
	u.add(t, "A", 1)
	g.add(t, "A", 2)
	bought := orderEvent(t, contract.OrderConfirmed, purchaseOf(g.add(t, "B", 1)))
	u.merge(t, g.name) // the login is faster than the order's event
	wantLines(t, u.read(t), contract.SKUCount{SKU: "A", Quantity: 3}, contract.SKUCount{SKU: "B", Quantity: 1})
	// Events of one subject come in order: once the last is applied, all are.
	last := &shopper{shop: s}
	after := orderEvent(t, contract.OrderConfirmed, purchaseOf(last.add(t, "LAST", 1)))
	after.Subject = bought.Subject
	for _, event := range []contract.Event{bought, bought, after} {
		s.Publish(t, contract.TopicOrders, event)
	}
	waitLines(t, *last)
	wantLines(t, u.read(t), contract.SKUCount{SKU: "A", Quantity: 1})
}

func TestAUsersCartThatExpiredNeverCountsAgain(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u := s.user(t)
	before := u.add(t, "A", 1)
	client := openRedis(t)
	if err := client.Do(t.Context(), client.B().Del().Key(keys{s.Env.Namespace}.cart(before.ID)).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(time.Second)
	if after := u.add(t, "A", 1); after.ID != before.ID || after.Version <= before.Version {
		t.Fatalf("version %d of %s comes after %d", after.Version, after.ID, before.Version)
	}
}

func TestOrdersReadAUsersCart(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u := s.user(t)
	path := "/internal/v1/users/" + u.id + "/cart"
	var contents contract.CartContents
	s.Do(t, http.MethodGet, path, nil, &contents, s.Internal())
	if contents.CartID != contract.UserCartID(u.id) || len(contents.Lines) != 0 {
		t.Fatalf("before the first line: %+v", contents)
	}
	u.add(t, "A", 2)
	s.Do(t, http.MethodGet, path, nil, &contents, s.Internal())
	if diff := cmp.Diff([]contract.SKUCount{{SKU: "A", Quantity: 2}}, contents.Lines); diff != "" {
		t.Error(diff)
	}
	for _, wrong := range []string{"ann", geo.NewID("crt", "use")} {
		if response := s.Do(t, http.MethodGet, "/internal/v1/users/"+wrong+"/cart", nil, nil, s.Internal()); response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, response.StatusCode)
		}
	}
}

func TestACartOfAnotherRegionIsStillToBeMerged(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u := s.user(t)
	for name, merged := range map[string]bool{
		"nonsense": true,
		geo.NewID("crt", "use") + ".00000000000000000000000000000000": true,
		geo.NewID("crt", "euw") + ".00000000000000000000000000000000": false,
	} {
		if merge := u.merge(t, name); merge.Merged != merged {
			t.Errorf("%s: %+v", name, merge)
		}
	}
}
