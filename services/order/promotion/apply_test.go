package promotion_test

import (
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order/promotion"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(hours int) *time.Time {
	moment := noon.Add(time.Duration(hours) * time.Hour)
	return &moment
}

func dollars(amount int64) []contract.Money {
	return []contract.Money{{Amount: amount, Currency: "USD"}}
}

// basket is two aprons at 19.99, a bowl at 3.33 and shipping of 5.00: 43.31 of goods.
var basket = promotion.Basket{
	Currency: "USD", Shipping: 500, Method: "standard",
	Lines: []promotion.Line{{SKU: "BOWL", Quantity: 1, UnitPrice: 333}, {SKU: "APRON", Quantity: 2, UnitPrice: 1999}},
}

func coded(p promotion.Promotion) []promotion.Offer {
	p.Code = "CODE"
	return []promotion.Offer{{ID: "1", Promotion: p}}
}

func TestWhatEachKindTakesOff(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		promotion promotion.Promotion
		lines     map[string]int64
		shipping  int64
	}{
		// 15 % of 43.31 is 6.4965; of the 6.50, 19.99 × 2 bear 6.0002… and the bowl 0.4997….
		"a percentage of all":               {promotion.Promotion{Kind: promotion.Percentage, BasisPoints: 1500}, map[string]int64{"APRON": 600, "BOWL": 50}, 0},
		"a percentage of some":              {promotion.Promotion{Kind: promotion.Percentage, BasisPoints: 5000, SKUs: []string{"BOWL", "CUP"}}, map[string]int64{"APRON": 0, "BOWL": 167}, 0},
		"all of it":                         {promotion.Promotion{Kind: promotion.Percentage, BasisPoints: 10_000}, map[string]int64{"APRON": 3998, "BOWL": 333}, 0},
		"an amount":                         {promotion.Promotion{Kind: promotion.Amount, Amounts: dollars(1000)}, map[string]int64{"APRON": 923, "BOWL": 77}, 0},
		"no more than the goods cost":       {promotion.Promotion{Kind: promotion.Amount, Amounts: dollars(1_000_000)}, map[string]int64{"APRON": 3998, "BOWL": 333}, 0},
		"two for three, the cheapest free":  {promotion.Promotion{Kind: promotion.BuyXGetY, Buy: 2, Get: 1, BasisPoints: 10_000}, map[string]int64{"APRON": 0, "BOWL": 333}, 0},
		"the second at half the price":      {promotion.Promotion{Kind: promotion.BuyXGetY, Buy: 1, Get: 1, BasisPoints: 5000, SKUs: []string{"APRON"}}, map[string]int64{"APRON": 1000}, 0},
		"an unfinished set":                 {promotion.Promotion{Kind: promotion.BuyXGetY, Buy: 1, Get: 5, BasisPoints: 10_000}, map[string]int64{"APRON": 1999, "BOWL": 333}, 0},
		"free shipping":                     {promotion.Promotion{Kind: promotion.FreeShipping}, map[string]int64{}, 500},
		"free shipping by the right method": {promotion.Promotion{Kind: promotion.FreeShipping, ShippingMethods: []string{"standard"}}, map[string]int64{}, 500},
		"in its last moment":                {promotion.Promotion{Kind: promotion.FreeShipping, StartsAt: at(0), EndsAt: at(1)}, map[string]int64{}, 500},
		"exactly at its minimum":            {promotion.Promotion{Kind: promotion.FreeShipping, Minimum: dollars(4331)}, map[string]int64{}, 500},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := promotion.Apply(basket, coded(test.promotion), []string{"CODE"}, noon)
			maps.DeleteFunc(got.Lines, func(_ string, part int64) bool { return part == 0 })
			maps.DeleteFunc(test.lines, func(_ string, part int64) bool { return part == 0 })
			if !maps.Equal(got.Lines, test.lines) || got.Shipping != test.shipping || len(got.Refused) != 0 || len(got.Applied) != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestWhyACodeTakesNothingOff(t *testing.T) {
	t.Parallel()
	free := promotion.Promotion{Kind: promotion.FreeShipping}
	with := func(change func(*promotion.Offer)) []promotion.Offer {
		offers := coded(free)
		change(&offers[0])
		return offers
	}
	everything := promotion.Offer{ID: "2", Promotion: promotion.Promotion{Kind: promotion.Percentage, BasisPoints: 10_000, Exclusive: true}}
	tests := map[promotion.Reason][]promotion.Offer{
		promotion.Unknown:          nil,
		promotion.NotStarted:       with(func(o *promotion.Offer) { o.StartsAt = at(1) }),
		promotion.Expired:          with(func(o *promotion.Offer) { o.EndsAt = at(0) }),
		promotion.UsedUp:           with(func(o *promotion.Offer) { o.UsedUp = true }),
		promotion.CustomerLimit:    with(func(o *promotion.Offer) { o.CustomerUsedUp = true }),
		promotion.OtherCurrency:    with(func(o *promotion.Offer) { o.Minimum = []contract.Money{{Amount: 1, Currency: "EUR"}} }),
		promotion.BelowMinimum:     with(func(o *promotion.Offer) { o.Minimum = dollars(4332) }),
		promotion.OtherGoods:       with(func(o *promotion.Offer) { o.SKUs = []string{"CUP"} }),
		promotion.OtherMethod:      with(func(o *promotion.Offer) { o.ShippingMethods = []string{"express"} }),
		promotion.NotCombinable:    append(coded(free), everything),
		promotion.NothingToTakeOff: with(func(o *promotion.Offer) { o.Kind, o.BasisPoints, o.SKUs = promotion.Percentage, 1, []string{"BOWL"} }), // 0.0333 cents
	}
	for reason, offers := range tests {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			got := promotion.Apply(basket, offers, []string{"CODE", "CODE"}, noon)
			if want := []contract.CodeRefusal{{Code: "CODE", Reason: string(reason)}}; !reflect.DeepEqual(got.Refused, want) {
				t.Errorf("refused %v, not %v", got.Refused, want)
			}
			for _, applied := range got.Applied {
				if applied.Code == "CODE" {
					t.Errorf("it takes off %d all the same", applied.Amount)
				}
			}
		})
	}
	tooFew := promotion.Promotion{Kind: promotion.BuyXGetY, Buy: 3, Get: 1, BasisPoints: 10_000}
	if got := promotion.Apply(basket, coded(tooFew), []string{"CODE"}, noon); len(got.Refused) != 1 || got.Refused[0].Reason != string(promotion.OtherGoods) {
		t.Errorf("three units where the fourth is free: %+v", got)
	}
	elsewhere := promotion.Promotion{Kind: promotion.Amount, Amounts: []contract.Money{{Amount: 1, Currency: "EUR"}}}
	if got := promotion.Apply(basket, coded(elsewhere), []string{"CODE"}, noon); len(got.Refused) != 1 || got.Refused[0].Reason != string(promotion.OtherCurrency) {
		t.Errorf("an amount in euros alone: %+v", got)
	}
}

func TestACodeHasToBeEntered(t *testing.T) {
	t.Parallel()
	if got := promotion.Apply(basket, coded(promotion.Promotion{Kind: promotion.FreeShipping}), nil, noon); got.Total() != 0 || len(got.Refused) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestStackingByPriority(t *testing.T) {
	t.Parallel()
	half := promotion.Promotion{Kind: promotion.Percentage, BasisPoints: 5000, SKUs: []string{"APRON"}}
	ten := promotion.Promotion{Kind: promotion.Amount, Amounts: dollars(1000), SKUs: []string{"APRON"}, Priority: 1}
	got := promotion.Apply(basket, []promotion.Offer{{ID: "a", Promotion: half}, {ID: "b", Promotion: ten}}, nil, noon)
	// 39.98 less 10.00, and half of that.
	if len(got.Applied) != 2 || got.Applied[0].ID != "b" || got.Applied[1].Amount != 1499 || got.Lines["APRON"] != 2499 {
		t.Errorf("%+v", got)
	}
	ten.Priority = -1
	got = promotion.Apply(basket, []promotion.Offer{{ID: "b", Promotion: ten}, {ID: "a", Promotion: half}}, nil, noon)
	if len(got.Applied) != 2 || got.Applied[0].ID != "a" || got.Lines["APRON"] != 2999 {
		t.Errorf("%+v", got)
	}
}
