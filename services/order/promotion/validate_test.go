package promotion_test

import (
	"errors"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order/promotion"
)

func TestValidateNamesTheField(t *testing.T) {
	t.Parallel()
	good := func() promotion.Promotion {
		return promotion.Promotion{Title: " Spring ", Code: " spring-10 ", Kind: promotion.Percentage, BasisPoints: 1000}
	}
	if p := good().Normal(); p.Validate() != nil || p.Code != "SPRING-10" || p.Title != "Spring" {
		t.Errorf("%+v: %v", p, p.Validate())
	}
	tests := map[string]struct {
		change func(*promotion.Promotion)
		field  string
	}{
		"no title":              {func(p *promotion.Promotion) { p.Title = "  " }, "title"},
		"a space in the code":   {func(p *promotion.Promotion) { p.Code = "SPRING 10" }, "code"},
		"no letter of ours":     {func(p *promotion.Promotion) { p.Code = "FRÜHLING" }, "code"},
		"an end before it":      {func(p *promotion.Promotion) { p.StartsAt, p.EndsAt = at(1), at(1) }, "ends_at"},
		"no kind":               {func(p *promotion.Promotion) { p.Kind, p.BasisPoints = "gift", 0 }, "kind"},
		"no percentage":         {func(p *promotion.Promotion) { p.BasisPoints = 0 }, "basis_points"},
		"a percentage too much": {func(p *promotion.Promotion) { p.Kind = promotion.FreeShipping }, "basis_points"},
		"no amount":             {func(p *promotion.Promotion) { p.Kind, p.BasisPoints = promotion.Amount, 0 }, "amounts"},
		"amounts of nothing":    {func(p *promotion.Promotion) { p.Amounts = dollars(1) }, "amounts"},
		"no units to buy":       {func(p *promotion.Promotion) { p.Kind, p.Get = promotion.BuyXGetY, 1 }, "buy"},
		"no units to get":       {func(p *promotion.Promotion) { p.Kind, p.Buy = promotion.BuyXGetY, 1 }, "get"},
		"methods of nothing":    {func(p *promotion.Promotion) { p.ShippingMethods = []string{"standard"} }, "shipping_methods"},
		"a SKU twice":           {func(p *promotion.Promotion) { p.SKUs = []string{"A", "A"} }, "skus[1]"},
		"a SKU without a name":  {func(p *promotion.Promotion) { p.SKUs = []string{""} }, "skus[0]"},
		"a minimum of nothing":  {func(p *promotion.Promotion) { p.Minimum = dollars(0) }, "minimum_subtotal[0].amount"},
		"no such currency":      {func(p *promotion.Promotion) { p.Minimum = []contract.Money{{Amount: 1, Currency: "usd"}} }, "minimum_subtotal[0].currency"},
		"a currency twice":      {func(p *promotion.Promotion) { p.Minimum = append(dollars(1), dollars(2)...) }, "minimum_subtotal[1].currency"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := good()
			test.change(&p)
			var typed *contract.Error
			if err := p.Normal().Validate(); !errors.As(err, &typed) || typed.Code != contract.CodeInvalid || typed.Field != test.field {
				t.Errorf("got %v", err)
			}
		})
	}
}
