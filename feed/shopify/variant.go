package shopify

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// variantDraft is a variant before its product is whole: its options have no names yet, and its SKU may have to be made up.
type variantDraft struct {
	contract.VariantInput
	line     int
	skuTaken bool
	values   [maxOptions]string
	// onHand is -1 where the file says nothing.
	onHand int64
}

func (d *draft) addVariant(row []string, line int, sku string, taken bool) {
	variant := variantDraft{line: line, skuTaken: taken, onHand: -1}
	if utf8.RuneCountInString(sku) > feed.MaxSKU || strings.ContainsFunc(sku, func(r rune) bool { return r < ' ' }) {
		d.fail(line, skuColumn, "%s is longer than %d characters or holds a line break", excerpt(sku), feed.MaxSKU)
		return
	}
	variant.SKU = strings.Clone(sku)
	for i := range variant.values {
		variant.values[i] = strings.Clone(d.text(row, line, option1ValueColumn+column(2*i), maxOptionValue))
	}
	price := d.value(row, priceColumn)
	if price == "" {
		d.fail(line, priceColumn, "is blank for a variant")
		return
	}
	variant.Prices = d.money(price, line, priceColumn)
	if before := d.value(row, compareAtColumn); before != "" {
		variant.CompareAtPrices = d.money(before, line, compareAtColumn)
		if len(variant.CompareAtPrices) == 1 && variant.CompareAtPrices[0].Amount == 0 {
			variant.CompareAtPrices = nil // Shopify writes 0 for none
		}
	}
	variant.Barcode = strings.Clone(unguarded(d.text(row, line, barcodeColumn, feed.MaxBarcode)))
	variant.WeightGrams = d.grams(row, line)
	variant.onHand = d.onHand(row, line)
	if address := d.address(row, line, variantImageColumn); address != "" {
		variant.Image = &contract.Image{URL: address}
	}
	if d.failure != nil {
		return
	}
	if d.variants = append(d.variants, variant); len(d.variants) > feed.MaxVariants {
		d.fail(line, noColumn, "the product has more than %d variants", feed.MaxVariants)
	}
}

// maxOptionValue bounds an option value's characters, as Shopify does.
const maxOptionValue = 255

// maxPriceText bounds a price's digits, zeros behind the last decimal included.
const maxPriceText = 40

// money reads a price; contract.ParseMoney says what is wrong with it.
func (d *draft) money(text string, line int, at column) []contract.Money {
	if len(text) > maxPriceText {
		d.fail(line, at, "%s is not a price", excerpt(text))
		return nil
	}
	money, err := contract.ParseMoney(text, d.currency)
	if err != nil {
		reason := err.Error()
		if typed, ok := errAs(err); ok {
			reason = typed.Message
		}
		d.fail(line, at, "%s", reason)
		return nil
	}
	return []contract.Money{money}
}

// grams reads the weight, which Shopify writes in grams whatever unit it shows; new exports write decimals of them.
func (d *draft) grams(row []string, line int) int64 {
	unit := strings.ToLower(d.value(row, weightUnitColumn))
	if !slices.Contains([]string{"", "g", "kg", "lb", "oz"}, unit) {
		d.fail(line, weightUnitColumn, "%s is not a unit of weight: g, kg, lb or oz", excerpt(unit))
		return 0
	}
	text := d.value(row, gramsColumn)
	if text == "" {
		return 0
	}
	grams, err := strconv.ParseFloat(text, 64)
	if err != nil || !(grams >= 0 && grams <= feed.MaxWeightGrams) {
		d.fail(line, gramsColumn, "%s is not a number of grams", excerpt(text))
		return 0
	}
	return int64(grams + 0.5)
}

// onHand reads the quantity: -1 for blank, 0 with a note for less than nothing.
func (d *draft) onHand(row []string, line int) int64 {
	text := d.value(row, quantityColumn)
	if text == "" {
		return -1
	}
	quantity, err := strconv.ParseInt(text, 10, 64)
	if err != nil || quantity > feed.MaxOnHand {
		d.fail(line, quantityColumn, "%s is not a whole number up to %d", excerpt(text), feed.MaxOnHand)
		return -1
	}
	if quantity < 0 && d.failure == nil {
		d.note(line, d.name[quantityColumn], "%d units are taken as 0 on hand", quantity)
		return 0
	}
	return quantity
}
