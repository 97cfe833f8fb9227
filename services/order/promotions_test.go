package order_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order"
	"github.com/meridian-store/meridian/services/order/promotion"
)

// alter changes a cart as its service would.
func (s *street) alter(ref string, change func(*contract.CartContents)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cart := s.carts[ref]
	change(&cart)
	s.carts[ref] = cart
}

// fillWith makes a cart with a code.
func (s *street) fillWith(code, sku string) string {
	ref := s.fill("use", sku)
	s.alter(ref, func(c *contract.CartContents) { c.Codes = []string{code} })
	return ref
}

func (s *shop) promote(p promotion.Promotion) order.PromotionRecord {
	s.t.Helper()
	got := s.must(http.MethodPost, "/api/v1/admin/promotions", p, "Authorization", s.Token(s.t, contract.RoleMerchandiser))
	var record order.PromotionRecord
	if err := json.Unmarshal([]byte(got.body), &record); err != nil || got.status != http.StatusCreated {
		s.t.Fatalf("%s (%v)", got, err)
	}
	return record
}

func (s *shop) quote(ref string, more map[string]any) (contract.Quote, error) {
	wanted := map[string]any{"shipping_address": dublin, "shipping_method": "standard"}
	for key, value := range more {
		wanted[key] = value
	}
	got, err := s.ask(http.MethodPost, "/api/v1/checkout/quote", wanted, contract.HeaderCartID, ref)
	var quote contract.Quote
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("quote: %s", got)
	}
	if err == nil {
		err = json.Unmarshal([]byte(got.body), &quote)
	}
	return quote, err
}

// used tells what stands for a promotion: the count of its uses, and the orders that make them.
func (s *shop) used(id string) (count, redemptions int) {
	s.t.Helper()
	count = s.count(`SELECT COALESCE(sum(used), 0)::INT8 FROM promotion_uses WHERE crdb_region = ANY($1) AND promotion_id = $2`, s.homes(), id)
	return count, s.count(`SELECT count(*) FROM promotion_redemptions WHERE crdb_region = ANY($1) AND promotion_id = $2`, s.homes(), id)
}

// everyone lets shoppers check out at once, each as they were quoted, and counts the answers by status.
func (s *shop) everyone(refs []string, key string, quotes []string, token func(i int) string) (statuses map[int]int, refused []int) {
	s.t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	statuses = map[int]int{}
	for i, ref := range refs {
		group.Go(func() {
			request := paying(token(i))
			request.Quote = quotes[i]
			got, err := s.insist(ref, key, request)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				s.t.Errorf("%v", err)
				return
			}
			statuses[got.status]++
			if got.status != http.StatusConflict {
				return
			}
			refused = append(refused, i)
			if name, members := got.problem(s.t); name != "quote-changed" || members["quote"] == nil {
				s.t.Errorf("%s", got)
			}
		})
	}
	group.Wait()
	return statuses, refused
}

func visa(int) string { return "tok_visa" }

// TestACodeIsUsedAsOftenAsItMay: a code for 100 orders under 1,000 checkouts at once, all of whom were quoted its discount.
func TestACodeIsUsedAsOftenAsItMay(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	const limit, shoppers = 100 / pace, 1000 / pace
	code := s.promote(promotion.Promotion{Title: "First hundred", Code: "first-100", Kind: promotion.Percentage, BasisPoints: 5000, UseLimit: limit})
	refs, quotes := make([]string, shoppers), make([]string, shoppers)
	for i := range refs {
		refs[i] = s.fillWith("FIRST-100", "APRON")
		quote, err := s.quote(refs[i], nil)
		if err != nil || quote.Discount.Amount != 1000 {
			t.Fatalf("%+v (%v)", quote, err)
		}
		quotes[i] = quote.Quote
	}
	statuses, refused := s.everyone(refs, "key", quotes, visa)
	if statuses[http.StatusCreated] != limit || statuses[http.StatusConflict] != shoppers-limit {
		t.Errorf("answers by status: %v", statuses)
	}
	if count, redemptions := s.used(code.ID); count != limit || redemptions != limit {
		t.Errorf("used %d times by %d orders", count, redemptions)
	}
	if discounted := s.count(`SELECT count(*) FROM orders WHERE crdb_region = 'us-east' AND status = 'confirmed' AND quote->'promotions' IS NOT NULL`); discounted != limit {
		t.Errorf("%d orders have the discount", discounted)
	}
	quote, err := s.quote(refs[refused[0]], nil)
	if err != nil || quote.Discount.Amount != 0 || len(quote.NotApplied) != 1 || quote.NotApplied[0].Reason != string(promotion.UsedUp) {
		t.Errorf("whoever was refused is quoted %+v (%v)", quote, err)
	}
	t.Logf("a code limited to %d under %d checkouts at once: %d orders with it, %d told that it is used up", limit, shoppers, statuses[http.StatusCreated], len(refused))
}

// TestWhatAFailedOrderUsedIsForOthers: half of the shoppers' cards are declined, and what they took of a limited code comes back.
func TestWhatAFailedOrderUsedIsForOthers(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	const limit, shoppers = 40, 200
	code := s.promote(promotion.Promotion{Title: "First forty", Code: "FORTY", Kind: promotion.Amount, Amounts: []contract.Money{{Amount: 100, Currency: "USD"}}, UseLimit: limit})
	refs, quotes := make([]string, shoppers), make([]string, shoppers)
	for i := range refs {
		refs[i] = s.fillWith("FORTY", "APRON")
		quote, err := s.quote(refs[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		quotes[i] = quote.Quote
	}
	statuses, refused := s.everyone(refs, "first", quotes, func(i int) string { return []string{"tok_visa", "tok_chargeDeclined"}[i%2] })
	sold, failed := statuses[http.StatusCreated], statuses[http.StatusPaymentRequired]
	if count, redemptions := s.used(code.ID); count != sold || redemptions != sold || sold > limit {
		t.Errorf("%d sold, but used %d times by %d orders", sold, count, redemptions)
	}
	var again, their []string
	for _, i := range refused {
		if i%2 == 0 {
			again, their = append(again, refs[i]), append(their, quotes[i])
		}
	}
	statuses, _ = s.everyone(again, "second", their, visa)
	if count, redemptions := s.used(code.ID); count != limit || redemptions != limit || sold+statuses[http.StatusCreated] != limit {
		t.Errorf("%d and %d sold, used %d times by %d orders", sold, statuses[http.StatusCreated], count, redemptions)
	}
	t.Logf("a code limited to %d, %d checkouts, %d declined: %d sold with it, and %d more with what came back", limit, shoppers, failed, sold, statuses[http.StatusCreated])
}

func TestACustomerUsesACodeOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	once := s.promote(promotion.Promotion{Title: "Welcome", Code: "WELCOME", Kind: promotion.FreeShipping, CustomerLimit: 1, UseLimit: 5})
	const tries = 20
	var mu sync.Mutex
	var group sync.WaitGroup
	statuses := map[int]int{}
	for i := range tries {
		ref := s.fillWith("WELCOME", "APRON")
		quote, err := s.quote(ref, nil)
		if err != nil || quote.Discount.Amount == 0 {
			t.Fatalf("%+v (%v)", quote, err)
		}
		group.Go(func() {
			request := paying("tok_visa")
			request.Quote = quote.Quote
			if i%2 == 0 {
				request.Email = strings.ToUpper(request.Email) // one mailbox, however it is written
			}
			got, err := s.insist(ref, "key", request)
			mu.Lock()
			defer mu.Unlock()
			if statuses[got.status]++; err != nil {
				t.Errorf("%v", err)
			}
		})
	}
	group.Wait()
	if statuses[http.StatusCreated] != 1 || statuses[http.StatusConflict] != tries-1 {
		t.Errorf("answers by status: %v", statuses)
	}
	ref := s.fillWith("WELCOME", "APRON")
	if quote, err := s.quote(ref, map[string]any{"email": email}); err != nil || len(quote.NotApplied) != 1 || quote.NotApplied[0].Reason != string(promotion.CustomerLimit) {
		t.Errorf("%+v (%v)", quote, err)
	}
	request := paying("tok_visa")
	request.Email = "someone.else@example.com"
	if got := s.buy(ref, "key", request).order(t); got.Quote.Discount.Amount != 500 {
		t.Errorf("another customer gets %+v", got.Quote)
	}
	// All uses and each customer's are counted apart: two orders make four.
	if count, redemptions := s.used(once.ID); count != 4 || redemptions != 4 {
		t.Errorf("%d uses by %d redemptions", count, redemptions)
	}
	if n := s.count(`SELECT count(*) FROM promotion_uses WHERE crdb_region = 'us-east' AND customer LIKE '%@%'`); n != 0 {
		t.Errorf("%d rows know an address", n)
	}
}

func TestAutomaticPromotionsOfTheMoment(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON", "BOWL")
	if quote, err := s.quote(ref, nil); err != nil || quote.Discount != (contract.Money{Currency: "USD"}) {
		t.Fatalf("%+v (%v)", quote, err)
	}
	automatic := s.promote(promotion.Promotion{Title: "Half a bowl", Kind: promotion.Percentage, BasisPoints: 5000, SKUs: []string{"BOWL"}})
	quote, err := s.quote(ref, nil)
	if err != nil || len(quote.Promotions) != 1 || quote.Promotions[0].ID != automatic.ID || quote.Discount.Amount != 167 {
		t.Fatalf("%+v (%v)", quote, err)
	}
	got := s.buy(ref, "key", func() order.Request { r := paying("tok_visa"); r.Quote = quote.Quote; return r }())
	if bought := got.order(t); got.status != http.StatusCreated || bought.Total != quote.Total {
		t.Errorf("%s", got)
	}
	// Without a limit nothing is counted.
	if count, redemptions := s.used(automatic.ID); count != 0 || redemptions != 0 {
		t.Errorf("%d uses, %d redemptions", count, redemptions)
	}
}
