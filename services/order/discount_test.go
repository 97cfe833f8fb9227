package order

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order/promotion"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func offering(all ...promotion.Promotion) offers {
	o := offers{at: noon}
	for i, p := range all {
		o.all = append(o.all, promotion.Offer{ID: fmt.Sprintf("prm%d", i), Promotion: p})
	}
	return o
}

func TestDiscountsComeOffBeforeTax(t *testing.T) {
	t.Parallel()
	cart := twoLines
	cart.Codes = []string{"TEN", "GONE"}
	ten := promotion.Promotion{Title: "Ten off", Code: "TEN", Kind: promotion.Amount, Amounts: []contract.Money{*usd(1000)}}
	free := promotion.Promotion{Title: "Free shipping", Kind: promotion.FreeShipping}
	quote, err := price(cart, twoPrices, added(600), "standard", offering(ten, free))
	if err != nil {
		t.Fatal(err)
	}
	// 43.31 of goods less 10.00, shipping of 5.00 less 5.00: 33.31; 6 % of it is 1.9986.
	if quote.Subtotal.Amount != 4331 || quote.Shipping.Amount != 500 || quote.Discount.Amount != 1500 || quote.Tax.Amount.Amount != 200 || quote.Total.Amount != 3531 {
		t.Errorf("%+v", quote)
	}
	if quote.Lines[0].Discount.Amount != 923 || quote.Lines[1].Discount.Amount != 77 {
		t.Errorf("lines: %+v", quote.Lines)
	}
	if want := []contract.CodeRefusal{{Code: "GONE", Reason: "unknown"}}; !reflect.DeepEqual(quote.NotApplied, want) {
		t.Errorf("not applied: %v", quote.NotApplied)
	}
	if len(quote.Promotions) != 2 || quote.Promotions[0].Code != "TEN" || quote.Promotions[1].Amount.Amount != 500 {
		t.Errorf("promotions: %+v", quote.Promotions)
	}
	cart.Codes = []string{"TEN"}
	if same, err := price(cart, twoPrices, added(600), "standard", offering(ten, free)); err != nil || same.Quote != quote.Quote {
		t.Errorf("a code that takes nothing off names another quote (%v)", err)
	}
	everything := promotion.Promotion{Title: "All of it", Kind: promotion.Percentage, BasisPoints: 10_000}
	if quote, err := price(cart, twoPrices, added(600), "standard", offering(everything, free)); err != nil || quote.Total.Amount != 0 || quote.Tax.Amount.Amount != 0 {
		t.Errorf("all of it: %+v (%v)", quote, err)
	}
}

// carts makes random carts in a currency, with what they may use.
type carts struct {
	*rand.Rand
	currency string
}

func (r carts) money(most int64) contract.Money {
	return contract.Money{Amount: 1 + r.Int64N(most), Currency: r.currency}
}

// upTo makes small amounts, where rounding shows, as often as large ones.
func (r carts) upTo() int64 { return []int64{9, 999, 99_999, contract.MaxAmount}[r.IntN(4)] }

func (r carts) cart() (contract.CartContents, []contract.PricedSKU) {
	cart := contract.CartContents{CartID: "crt_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", Currency: r.currency}
	var priced []contract.PricedSKU
	most := r.upTo()
	for i := range 1 + r.IntN(12) {
		sku := fmt.Sprintf("S%d", i)
		cart.Lines = append(cart.Lines, contract.SKUCount{SKU: sku, Quantity: 1 + r.Int64N(20)})
		unit := r.money(most)
		priced = append(priced, contract.PricedSKU{SKU: sku, Title: "The " + sku, Price: &unit})
	}
	return cart, priced
}

func (r carts) destination() destination {
	to := destination{country: "XX", tax: contract.Tax{Name: "Tax", RateBasisPoints: r.Int64N(3_001), Included: r.IntN(2) == 0}}
	to.shipping = map[string]map[string]int64{"standard": {r.currency: r.Int64N(10_000)}}
	return to
}

func (r carts) promotion() promotion.Promotion {
	p := promotion.Promotion{Title: "A promotion", Priority: r.IntN(3), Exclusive: r.IntN(5) == 0}
	if r.IntN(2) == 0 {
		p.SKUs = []string{"S0", fmt.Sprintf("S%d", 1+r.IntN(11))}
	}
	if r.IntN(4) == 0 {
		p.Minimum = []contract.Money{r.money(r.upTo())}
	}
	switch r.IntN(4) {
	case 0:
		p.Kind, p.BasisPoints = promotion.Percentage, 1+r.Int64N(10_000)
	case 1:
		p.Kind, p.Amounts = promotion.Amount, []contract.Money{r.money(r.upTo())}
	case 2:
		p.Kind, p.Buy, p.Get, p.BasisPoints = promotion.BuyXGetY, 1+r.Int64N(3), 1+r.Int64N(3), 1+r.Int64N(10_000)
	default:
		p.Kind = promotion.FreeShipping
	}
	return p
}

// TestTheMoneyOfTenThousandCarts holds for every cart in every kind of currency: the parts make the whole in whole minor units, nothing
// is below zero, a quote reads the same from its row, and giving all goods back, at once or unit by unit, gives what was paid for them.
func TestTheMoneyOfTenThousandCarts(t *testing.T) {
	t.Parallel()
	const each = 2_500
	discounted := 0
	for i, currency := range []string{"USD", "EUR", "JPY", "KWD"} {
		r := carts{rand.New(rand.NewPCG(uint64(i), 2026)), currency}
		for range each {
			cart, priced := r.cart()
			to, offered := r.destination(), offers{at: noon}
			for n := range r.IntN(5) {
				offered.all = append(offered.all, promotion.Offer{ID: fmt.Sprintf("prm%d", n), Promotion: r.promotion()})
			}
			quote, err := price(cart, priced, to, "standard", offered)
			if err != nil {
				t.Fatal(err)
			}
			if quote.Discount.Amount > 0 {
				discounted++
			}
			checkParts(t, quote)
			checkReturns(t, r, quote)
		}
	}
	t.Logf("%d carts in 4 currencies, %d of them with a discount", 4*each, discounted)
}

func checkParts(t *testing.T, quote contract.Quote) {
	t.Helper()
	var lines, lineDiscounts, promotions int64
	for _, line := range quote.Lines {
		if line.Discount.Amount < 0 || line.Discount.Amount > line.Total.Amount || line.Discount.Currency != quote.Currency || line.Total != line.UnitPrice.Times(line.Quantity) {
			t.Fatalf("%+v", line)
		}
		lines, lineDiscounts = lines+line.Total.Amount, lineDiscounts+line.Discount.Amount
	}
	for _, applied := range quote.Promotions {
		promotions += applied.Amount.Amount
	}
	sum := quote.Subtotal.Plus(quote.Shipping).Plus(quote.Discount.Times(-1))
	if !quote.Tax.Included {
		sum = sum.Plus(quote.Tax.Amount)
	}
	shippingDiscount := quote.Discount.Amount - lineDiscounts
	if lines != quote.Subtotal.Amount || promotions != quote.Discount.Amount || sum != quote.Total || quote.Total.Amount < 0 ||
		shippingDiscount < 0 || shippingDiscount > quote.Shipping.Amount || quote.Tax.Amount.Amount > quote.Total.Amount {
		t.Fatalf("the parts do not make the whole: %+v", quote)
	}
	row, err := json.Marshal(quote)
	if err != nil {
		t.Fatal(err)
	}
	var read contract.Quote
	if err := json.Unmarshal(row, &read); err != nil || !reflect.DeepEqual(read, quote) {
		t.Fatalf("%+v reads as %+v (%v)", quote, read, err)
	}
	if name, err := nameOf(read); err != nil || name != quote.Quote {
		t.Fatalf("it reads as %s (%v)", name, err)
	}
}

// checkReturns takes an order apart, some units at a time.
func checkReturns(t *testing.T, r carts, quote contract.Quote) {
	t.Helper()
	var all []contract.SKUCount
	for _, line := range quote.Lines {
		all = append(all, contract.SKUCount{SKU: line.SKU, Quantity: line.Quantity})
	}
	goods := refundable(quote, all)
	shipping := quote.Total.Amount - goods.Amount
	net := quote.Shipping.Amount - quote.Discount.Amount
	for _, line := range quote.Lines {
		net += line.Discount.Amount
	}
	// What stays is shipping, with no more than its share of the tax, rounded up.
	most := net
	if !quote.Tax.Included {
		most += contract.Share(net, quote.Tax.RateBasisPoints, 10_000) + 1
	}
	if goods.Amount < 0 || goods.Currency != quote.Currency || shipping < net || shipping > most {
		t.Fatalf("%d of %+v stays for shipping of %d", shipping, quote, net)
	}
	var back, before int64
	returned := make([]contract.SKUCount, len(all))
	for i := range all {
		returned[i].SKU = all[i].SKU
		for returned[i].Quantity < all[i].Quantity {
			returned[i].Quantity += 1 + r.Int64N(all[i].Quantity-returned[i].Quantity)
			worth := refundable(quote, returned).Amount
			if worth < before {
				t.Fatalf("returning more of %s is worth less: %d after %d", all[i].SKU, worth, before)
			}
			back, before = back+worth-before, worth
		}
	}
	if back != goods.Amount {
		t.Fatalf("returns give %d back, not %d", back, goods.Amount)
	}
}

func TestWhatIsNotInTheQuoteIsWorthNothing(t *testing.T) {
	t.Parallel()
	quote, err := price(twoLines, twoPrices, included(2300), "standard", offers{})
	if err != nil {
		t.Fatal(err)
	}
	if worth := refundable(quote, []contract.SKUCount{{SKU: "A", Quantity: 99}, {SKU: "A", Quantity: 1}, {SKU: "Z", Quantity: 1}}); worth.Amount != 2*1999 {
		t.Errorf("%s", worth)
	}
}
