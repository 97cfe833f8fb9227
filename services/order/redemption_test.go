package order

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/services/order/promotion"
)

// uses tells how often a promotion counts as used, by all and by a customer.
func (b bench) uses(t *testing.T, promotionID, customer string) (used int64) {
	t.Helper()
	err := b.db.QueryRow(t.Context(), `SELECT used FROM promotion_uses WHERE crdb_region = 'eu-west' AND promotion_id = $1 AND customer = $2`, promotionID, customer).Scan(&used)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	return used
}

// TestUsesAreCountedWithTheirOrder: counting uses takes no round trip and no commit of its own, whatever their number; a use over its
// limit leaves nothing behind, neither of the order nor of the other uses; a failed or a cancelled order gives back, once.
func TestUsesAreCountedWithTheirOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	wide := use{home: "eu-west", promotionID: "prm_wide", limit: 10}
	hers := use{home: "eu-west", promotionID: "prm_wide", customer: "hers", limit: 2}
	last := use{home: "eu-west", promotionID: "prm_last", limit: 1}
	open := func(uses ...use) (saga, placed, error) {
		t.Helper()
		ref, err := parseCartRef(geo.NewID("crt", "use") + ".0123456789abcdef0123456789abcdef")
		if err != nil {
			t.Fatal(err)
		}
		quote, err := price(twoLines, twoPrices, added(600), "standard", offers{})
		if err != nil {
			t.Fatal(err)
		}
		order := newPlaced("use", ref, contract.CartContents{Version: 1}, quote, Request{Email: "a@example.com"}, time.Now())
		order.uses = uses
		s := saga{id: order.sagaID, home: "us-east", cartID: ref.id, orderID: order.ID, key: "key", requestHash: []byte("hash"), direction: forward, epoch: 1, token: "tok"}
		ctx, cost := sqldb.Count(t.Context())
		err = b.open(ctx, s, &order, b.config, "first")
		if err == nil && (cost.RoundTrips() != 1 || cost.Commits() != 1) {
			t.Errorf("%d uses: %d round trips and %d commits", len(uses), cost.RoundTrips(), cost.Commits())
		}
		return s, order, err
	}
	first, order, err := open(last, wide, hers)
	if err != nil {
		t.Fatal(err)
	}
	if _, second, err := open(wide, hers, last); !errors.Is(err, errUsedUp) {
		t.Errorf("the last use was made twice: %v", err)
	} else if _, err := b.order(t.Context(), "us-east", second.ID); contract.CodeOf(err) != contract.CodeNotFound {
		t.Errorf("the refused order is there (%v)", err)
	}
	if all, one := b.uses(t, "prm_wide", ""), b.uses(t, "prm_wide", "hers"); all != 1 || one != 1 {
		t.Errorf("%d uses by all and %d by her", all, one)
	}
	ctx, cost := sqldb.Count(t.Context())
	if err := b.end(ctx, first, order, stateFailed); err != nil || cost.RoundTrips() != 4 || cost.Commits() != 1 {
		t.Errorf("%d round trips and %d commits (%v)", cost.RoundTrips(), cost.Commits(), err)
	}
	if all, one, of := b.uses(t, "prm_wide", ""), b.uses(t, "prm_wide", "hers"), b.uses(t, "prm_last", ""); all+one+of != 0 {
		t.Errorf("after the failure: %d, %d and %d", all, one, of)
	}
	third, order, err := open(last, hers, wide)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.end(t.Context(), third, order, stateConfirmed); err != nil || b.uses(t, "prm_last", "") != 1 {
		t.Errorf("confirmed, it is used %d times (%v)", b.uses(t, "prm_last", ""), err)
	}
	for range 2 {
		if err := b.db.InTx(t.Context(), func(tx pgx.Tx) error { return giveBackUses(t.Context(), tx, "us-east", order.ID) }); err != nil {
			t.Fatal(err)
		}
	}
	if all, one, of := b.uses(t, "prm_wide", ""), b.uses(t, "prm_wide", "hers"), b.uses(t, "prm_last", ""); all+one+of != 0 {
		t.Errorf("after the cancellation: %d, %d and %d", all, one, of)
	}
}

// TestQuotesSeldomAskForPromotions: nothing for most quotes, one round trip for those with codes or limits.
func TestQuotesSeldomAskForPromotions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := &shelf{store: b.store, now: time.Now}
	asks := func(want int64, codes ...string) []kept {
		t.Helper()
		ctx, cost := sqldb.Count(t.Context())
		all, err := s.offered(ctx, codes, "hers")
		if err != nil || cost.RoundTrips() != want || cost.Commits() != 0 {
			t.Errorf("codes %v: %d round trips and %d commits (%v)", codes, cost.RoundTrips(), cost.Commits(), err)
		}
		return all
	}
	asks(1)
	s.read = time.Now().Add(time.Hour) // new enough, however slow the machine is
	asks(0)
	asks(1, "A", "B", "C")
	limited := PromotionRecord{ID: "prm_1", Region: "us-east", Version: 1, Promotion: promotion.Promotion{Title: "t", Kind: promotion.FreeShipping, UseLimit: 1}}
	if err := b.addPromotion(t.Context(), limited); err != nil {
		t.Fatal(err)
	}
	s.forget()
	if all := asks(2); len(all) != 1 || all[0].UsedUp {
		t.Errorf("%+v", all)
	}
	if _, err := b.db.Exec(t.Context(), `INSERT INTO promotion_uses VALUES ('us-east', 'prm_1', '', 1, 1)`); err != nil {
		t.Fatal(err)
	}
	s.read = time.Now().Add(time.Hour)
	if all := asks(1); len(all) != 1 || !all[0].UsedUp {
		t.Errorf("%+v", all)
	}
}

func TestNamesOfCustomers(t *testing.T) {
	t.Parallel()
	key, err := readCustomerKey(secret.New("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"))
	if err != nil {
		t.Fatal(err)
	}
	user := geo.NewID(contract.KindUser, "euw")
	if key.name(user, "a@example.com") != user || key.name("", "") != "" || key.name("", " A@Example.com ") != key.name("", "a@example.com") || key.name("", "b@example.com") == key.name("", "a@example.com") {
		t.Error("customers are confused")
	}
	other := customerKey(append([]byte{1}, key[1:]...))
	if other.name("", "a@example.com") == key.name("", "a@example.com") {
		t.Error("without the key the name can be made")
	}
	for _, bad := range []string{"", "00", "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"} {
		if _, err := readCustomerKey(secret.New(bad)); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
	two, err := secret.Parse(strings.Repeat("ab", 32) + " " + strings.Repeat("cd", 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readCustomerKey(two); err == nil {
		t.Error("a key that would start every count again was accepted")
	}
}
