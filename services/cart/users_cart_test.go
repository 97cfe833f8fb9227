package cart

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/local/kittest"
)

// traveller is a user of eu-west whom us-east serves.
func (s shop) traveller(t *testing.T) *user {
	t.Helper()
	id := geo.NewID(contract.KindUser, "euw")
	return &user{shop: s, id: id, token: s.tokenOf(t, id)}
}

// waits until a user's cart has these lines.
func (u *user) waits(t *testing.T, want ...contract.SKUCount) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if got := countsOf(u.read(t)); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("the cart has %v, want %v", got, want)
		}
		return nil
	})
}

func TestAUsersCartOfALostRegionIsRestoredAndChangedHere(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, stranger := s.traveller(t), s.traveller(t)
	who, _ := claimOfUser(u.id)
	state := contract.CartState{CartID: who.id, Version: 3, Currency: "EUR", SecretHash: ownedByUser, Lines: []contract.CartEntry{
		{SKU: "A", Quantity: 1, Version: 1, Added: 1}, {SKU: "B", Quantity: 2, Version: 2, Added: 2}, {SKU: "GONE", Version: 3, Added: 1},
	}}
	s.Publish(t, contract.TopicCarts, saidBy(t, "eu-west", state))
	u.waits(t, contract.SKUCount{SKU: "A", Quantity: 1}, contract.SKUCount{SKU: "B", Quantity: 2})
	if got := stranger.read(t); len(got.Lines) != 0 {
		t.Errorf("another user sees %+v", got)
	}
	for _, name := range []string{who.id, who.id + ".user", who.id + ".00000000000000000000000000000000"} {
		if response := s.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, map[string]string{contract.HeaderCartID: name}); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s opens a user's cart: %d", name, response.StatusCode)
		}
	}
	u.add(t, "C", 4)
	u.do(t, http.MethodDelete, "/api/v1/cart/items/A", nil)
	said := s.announced(t, who.id, 5)
	want := []contract.CartEntry{
		{SKU: "A", Version: 5, Region: "use", Added: 1}, {SKU: "GONE", Version: 3, Added: 1}, {SKU: "B", Quantity: 2, Version: 2, Added: 2},
		{SKU: "C", Quantity: 4, Version: 4, Region: "use", Added: 4},
	}
	if fmt.Sprint(said.Lines) != fmt.Sprint(want) || said.SecretHash != ownedByUser {
		t.Errorf("said %+v, want %+v", said.Lines, want)
	}
	var contents contract.CartContents
	s.Do(t, http.MethodGet, "/internal/v1/users/"+u.id+"/cart", nil, &contents, s.Internal())
	if contents.CartID != who.id || contents.Version != 5 || len(contents.Lines) != 2 {
		t.Errorf("the order service is given %+v", contents)
	}
}

// Nothing is known here of the user's cart, and its home has one: both are there afterwards.
func TestAUsersCartBegunAwayIsMergedWithTheHomes(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u := s.traveller(t)
	began := u.add(t, "HERE", 2)
	said := s.announced(t, began.ID, began.Version)
	if len(said.Lines) != 1 || said.Lines[0].Region != "use" {
		t.Fatalf("what was begun here counts as its home's: %+v", said.Lines)
	}
	s.Publish(t, contract.TopicCarts, saidBy(t, "eu-west", contract.CartState{CartID: began.ID, Version: 7, Currency: "EUR", SecretHash: ownedByUser,
		Lines: []contract.CartEntry{{SKU: "THERE", Quantity: 1, Version: 7, Added: 7}}}))
	u.waits(t, contract.SKUCount{SKU: "THERE", Quantity: 1}, contract.SKUCount{SKU: "HERE", Quantity: 2})
	if next := u.add(t, "HERE", 1); next.Version <= began.Version {
		t.Errorf("version %d comes after %d", next.Version, began.Version)
	}
}

func TestAHomeMergesWhatItsUserChangedElsewhere(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u := s.user(t)
	u.add(t, "A", 1)
	before := u.add(t, "B", 2)
	elsewhere := s.announced(t, before.ID, before.Version)
	u.add(t, "E", 1)
	elsewhere.Version = before.Version + 2
	elsewhere.Lines = []contract.CartEntry{
		{SKU: "A", Version: before.Version + 1, Region: "euw", Added: elsewhere.Lines[0].Added}, elsewhere.Lines[1],
		{SKU: "C", Quantity: 4, Version: before.Version + 2, Region: "euw", Added: before.Version + 2},
	}
	s.Publish(t, contract.TopicCarts, saidBy(t, "eu-west", elsewhere))
	u.waits(t, contract.SKUCount{SKU: "B", Quantity: 2}, contract.SKUCount{SKU: "E", Quantity: 1}, contract.SKUCount{SKU: "C", Quantity: 4})
	if merged := s.announced(t, before.ID, before.Version+3); len(merged.Lines) != 4 {
		t.Errorf("announced %+v", merged.Lines)
	}
}

// passing is the gateway of a region beside the user's home: it passes on what is for the home, while that is there.
type passing struct {
	home shop
	mu   sync.Mutex
	gone bool
	// lost answers that the home did not answer, after it did.
	lost bool
}

func (p *passing) set(gone, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone, p.lost = gone, lost
}

func (p *passing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	refuse := func(err *contract.Error) {
		problem := httpx.NewProblem(r.Context(), err)
		body, _ := problem.MarshalJSON() // of plain members
		w.Header().Set("Content-Type", httpx.ProblemContentType)
		w.WriteHeader(problem.Status)
		_, _ = w.Write(body) // a caller that has gone is the caller's affair
	}
	if p.gone {
		refuse(contract.Errorf(contract.CodeNotFound, "not there"))
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, p.home.URL+r.URL.Path, r.Body)
	if err != nil {
		refuse(contract.Errorf(contract.CodeInternal, "%v", err))
		return
	}
	request.Header = r.Header.Clone()
	request.Header.Set(contract.HeaderInternal, p.home.Env.InternalSecret.Current())
	response, err := httpclient.Default.Do(request)
	if err != nil {
		refuse(contract.Unavailable(err, "no answer"))
		return
	}
	defer response.Body.Close()
	answer := httptest.NewRecorder()
	if _, err := answer.Body.ReadFrom(response.Body); err != nil || p.lost {
		refuse(contract.Unavailable(err, "no answer"))
		return
	}
	w.Header().Set("Content-Type", response.Header.Get("Content-Type"))
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(answer.Body.Bytes()) // as above
}

// openTwoShops gives the shop that a traveller is in, and that of the traveller's home.
func openTwoShops(t *testing.T) (here, home shop, between *passing) {
	t.Helper()
	here, home = openShop(t, awake()), openShop(t, awake(), kittest.WithRegion("eu-west"))
	between = &passing{home: home}
	here.Neighbour(t, contract.ServiceGateway, between)
	return here, home, between
}

func TestAGuestsCartMovesIntoTheCartAtItsUsersHome(t *testing.T) {
	t.Parallel()
	here, home, between := openTwoShops(t)
	u, g := here.traveller(t), &shopper{shop: here}
	atHome := &user{shop: home, id: u.id, token: home.tokenOf(t, u.id)}
	atHome.add(t, "BOTH", 2)
	here.orders.titles["SPRING"] = "Spring"
	g.add(t, "BOTH", 1)
	g.add(t, "NEW", 3)
	g.do(t, http.MethodPost, "/api/v1/cart/promotions", map[string]string{"code": "SPRING"})
	want := []contract.SKUCount{{SKU: "BOTH", Quantity: 3}, {SKU: "NEW", Quantity: 3}}

	// The home takes the lines and its answer is lost: nothing is added here, and asking again adds nothing there.
	between.set(false, true)
	headers := here.Internal()
	headers[contract.HeaderCartID] = g.name
	if got := here.Do(t, http.MethodPost, "/internal/v1/carts/merge", contract.CartMergeRequest{UserID: u.id}, nil, headers); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a merge of which nobody knows was answered %d", got.StatusCode)
	}
	between.set(false, false)
	for range 2 {
		if merge := u.merge(t, g.name); !merge.Merged || len(merge.LeftOut) != 0 {
			t.Errorf("the merge says %+v", merge)
		}
		got := atHome.read(t)
		wantLines(t, got, want...)
		if len(got.Promotions) != 1 || got.Promotions[0] != (contract.CartPromotion{Code: "SPRING", Title: "Spring"}) {
			t.Errorf("the codes are %+v", got.Promotions)
		}
	}
	if response := here.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, g.header()); response.StatusCode != http.StatusNotFound {
		t.Errorf("the guest's cart still opens: %d", response.StatusCode)
	}
}

func TestAGuestsCartMovesIntoWhatIsKnownHereWhileTheUsersHomeIsGone(t *testing.T) {
	t.Parallel()
	here, _, between := openTwoShops(t)
	between.set(true, false)
	u, g := here.traveller(t), &shopper{shop: here}
	who, _ := claimOfUser(u.id)
	here.Publish(t, contract.TopicCarts, saidBy(t, "eu-west", contract.CartState{CartID: who.id, Version: 3, Currency: "EUR", SecretHash: ownedByUser,
		Lines: []contract.CartEntry{{SKU: "BOTH", Quantity: 2, Version: 3, Added: 1}}}))
	u.waits(t, contract.SKUCount{SKU: "BOTH", Quantity: 2})
	g.add(t, "BOTH", 1)
	g.add(t, "NEW", 3)
	for range 2 {
		u.merge(t, g.name)
		wantLines(t, u.read(t), contract.SKUCount{SKU: "BOTH", Quantity: 3}, contract.SKUCount{SKU: "NEW", Quantity: 3})
	}
}

func TestWhatAGuestBoughtLeavesTheCartAtTheUsersHomeToo(t *testing.T) {
	t.Parallel()
	here, home, _ := openTwoShops(t)
	u, g := here.traveller(t), &shopper{shop: here}
	atHome := &user{shop: home, id: u.id, token: home.tokenOf(t, u.id)}
	atHome.add(t, "A", 1)
	g.add(t, "A", 2)
	bought := orderEvent(t, contract.OrderConfirmed, purchaseOf(g.add(t, "B", 1)))
	u.merge(t, g.name) // the login is faster than the order's event
	wantLines(t, atHome.read(t), contract.SKUCount{SKU: "A", Quantity: 3}, contract.SKUCount{SKU: "B", Quantity: 1})
	home.Publish(t, contract.TopicOrders, bought) // as the mirror brings it
	atHome.waits(t, contract.SKUCount{SKU: "A", Quantity: 1})
}

func TestAGuestsCartThatNoRegionWouldSendIsRefused(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u := s.user(t)
	good := contract.GuestCart{Currency: "USD", Lines: []contract.SKUCount{{SKU: "A", Quantity: 1}}, Codes: []contract.CartPromotion{}}
	send := func(userID, cartID string, change func(*contract.GuestCart)) int {
		sent := good
		change(&sent)
		return s.Do(t, http.MethodPut, "/internal/v1/users/"+userID+"/cart/guests/"+cartID, sent, nil, s.Internal()).StatusCode
	}
	guest := geo.NewID(idKind, "euw")
	for what, status := range map[string]int{
		"another id":    send(u.id, u.id, func(*contract.GuestCart) {}),
		"another user":  send("ann", guest, func(*contract.GuestCart) {}),
		"a currency":    send(u.id, guest, func(g *contract.GuestCart) { g.Currency = "euros" }),
		"a quantity":    send(u.id, guest, func(g *contract.GuestCart) { g.Lines = []contract.SKUCount{{SKU: "A", Quantity: 1000}} }),
		"a SKU":         send(u.id, guest, func(g *contract.GuestCart) { g.Lines = []contract.SKUCount{{SKU: " ", Quantity: 1}} }),
		"a code":        send(u.id, guest, func(g *contract.GuestCart) { g.Codes = []contract.CartPromotion{{Code: "A B"}} }),
		"without proof": s.Do(t, http.MethodPut, "/internal/v1/users/"+u.id+"/cart/guests/"+guest, good, nil).StatusCode,
	} {
		if status < 400 || status >= 500 {
			t.Errorf("%s was answered %d", what, status)
		}
	}
	wantLines(t, u.read(t))
}

// However a user's cart is changed at home and away, and in whatever order and how often the two hear of each other, both come to the
// same cart, and of a SKU that only one of them changed that change stands.
func TestAUsersCartChangedAtHomeAndAwayComesToTheSameInBoth(t *testing.T) {
	t.Parallel()
	client := openRedis(t)
	rapid.Check(t, func(rt *rapid.T) {
		who, _ := claimOfUser(geo.NewID(contract.KindUser, "euw"))
		sides := map[string]*vault{}
		for code, name := range map[string]string{"euw": "eu-west", "use": "us-east"} {
			st := newStore(client, geo.NewID("test", "use")+"-", geo.Region{Name: name, Code: code}, time.Now, func() {})
			sides[code] = newVault(st, nil, geo.Region{Name: name, Code: code}, time.Now, awake(), prometheus.NewRegistry())
		}
		if _, err := sides["euw"].store.put(t.Context(), who, "EUR", modeSet, "before", 1); err != nil {
			rt.Fatal(err)
		}
		away := shoppers{store: sides["use"].store, region: geo.Region{Code: "use"}}
		if err := away.beginAway(t.Context(), who, "USD"); err != nil {
			rt.Fatal(err)
		}
		want := map[string]int64{"before": 1}
		for range rapid.IntRange(1, 12).Draw(rt, "changes") {
			code := rapid.SampledFrom([]string{"euw", "use"}).Draw(rt, "side")
			sku := code + rapid.SampledFrom([]string{"-1", "-2", "-3"}).Draw(rt, "sku") // each side has its own
			quantity := rapid.Int64Range(0, 3).Draw(rt, "quantity")
			if _, err := sides[code].store.put(t.Context(), who, "", modeSet, sku, quantity); err != nil {
				rt.Fatal(err)
			}
			if want[sku] = quantity; quantity == 0 {
				delete(want, sku)
			}
			if rapid.Bool().Draw(rt, "heard") {
				hearEachOther(t, rt, sides, who.id, code)
			}
		}
		for range 2 {
			hearEachOther(t, rt, sides, who.id, "euw")
			hearEachOther(t, rt, sides, who.id, "use")
		}
		for code, side := range sides {
			found, err := side.store.load(t.Context(), []restingCart{{id: who.id}})
			if err != nil || len(found) > 1 {
				rt.Fatal(found, err)
			}
			got := map[string]int64{}
			for _, c := range found {
				for _, l := range c.live() {
					got[l.sku] = l.quantity
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				rt.Fatalf("%s has %v, want %v", code, got, want)
			}
		}
	})
}

// hearEachOther tells the other side what one has, as its events do.
func hearEachOther(t *testing.T, rt *rapid.T, sides map[string]*vault, id, from string) {
	found, err := sides[from].store.load(t.Context(), []restingCart{{id: id}})
	if err != nil {
		rt.Fatal(err)
	}
	for _, c := range found {
		encoded, err := json.Marshal(c.state())
		if err != nil {
			rt.Fatal(err)
		}
		var said contract.CartState
		if err := json.Unmarshal(encoded, &said); err != nil {
			rt.Fatal(err)
		}
		for to, side := range sides {
			if to == from {
				continue
			}
			if err := side.reunite(t.Context(), said, false); err != nil {
				rt.Fatal(err)
			}
		}
	}
}
