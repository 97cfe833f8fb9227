package google

import (
	"strconv"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// maxPriceText bounds a price's characters.
const maxPriceText = 40

// addPrice reads price and sale_price.
func (d *draft) addPrice(item *record, v *variant) {
	text := item.first("price")
	if text == "" {
		d.fail(item.line, "price", "is blank")
		return
	}
	price, ok := d.money(item, "price", text)
	if !ok {
		return
	}
	v.Prices = []contract.Money{price}
	text = item.first("sale_price")
	if text == "" {
		return
	}
	sale, ok := d.money(item, "sale_price", text)
	switch {
	case !ok:
	case sale.Currency != price.Currency:
		d.fail(item.line, "sale_price", "is in %s, and the price in %s", sale.Currency, price.Currency)
	case item.first("sale_price_effective_date") != "":
		d.note(item.line, "sale_price", "is left out, for it holds for a time only")
	case sale.Amount < price.Amount:
		v.Prices, v.CompareAtPrices = []contract.Money{sale}, []contract.Money{price}
	}
}

// money reads "19.99 USD", also with the currency first or without a space; contract.ParseMoney says what is wrong with the rest.
func (d *draft) money(item *record, name, text string) (contract.Money, bool) {
	if len(text) > maxPriceText {
		d.fail(item.line, name, "%s is not a price", excerpt(text))
		return contract.Money{}, false
	}
	letters := func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }
	amount, currency := text, d.reader.options.Currency
	if at := strings.IndexFunc(text, letters); at > 0 {
		amount, currency = text[:at], text[at:]
	} else if at == 0 && len(text) > 3 {
		currency, amount = text[:3], text[3:]
	}
	money, err := contract.ParseMoney(strings.TrimSpace(amount), strings.ToUpper(strings.TrimSpace(currency)))
	if err != nil {
		reason := err.Error()
		if typed, ok := errAs(err); ok {
			reason = typed.Message
		}
		d.fail(item.line, name, "%s", reason)
		return contract.Money{}, false
	}
	return money, true
}

// gramsPer gives the units of weight that Google knows.
var gramsPer = map[string]float64{"g": 1, "kg": 1000, "lb": 453.59237, "oz": 28.349523125}

// grams reads "3 kg"; a weight that is not one describes nothing, and is left out with a note.
func (d *draft) grams(item *record) int64 {
	for _, name := range []string{"product_weight", "shipping_weight"} {
		text := strings.ToLower(item.first(name))
		if text == "" {
			continue
		}
		number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz ")
		amount, err := strconv.ParseFloat(number, 64)
		factor, known := gramsPer[strings.TrimSuffix(strings.TrimSpace(text[len(number):]), "s")]
		if grams := amount * factor; err == nil && known && grams >= 0 && grams <= feed.MaxWeightGrams {
			return int64(grams + 0.5)
		}
		d.note(item.line, name, "%s is left out, for it is not a weight in g, kg, lb or oz", excerpt(text))
	}
	return 0
}
