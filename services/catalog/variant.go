package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/contract"
)

const maxSKU = 100

// normalizeVariants gives copies with prices by currency, so that the order in which they were written does not count.
func normalizeVariants(variants []contract.VariantInput) []contract.VariantInput {
	byCurrency := func(a, b contract.Money) int { return strings.Compare(a.Currency, b.Currency) }
	normal := slices.Clone(variants)
	for i := range normal {
		normal[i].Options = emptyAsNil(normal[i].Options)
		// Never nil: `prices` is written as an empty list, which the schema asks for.
		normal[i].Prices = append([]contract.Money{}, slices.SortedFunc(slices.Values(normal[i].Prices), byCurrency)...)
		normal[i].CompareAtPrices = slices.SortedFunc(slices.Values(normal[i].CompareAtPrices), byCurrency)
	}
	return normal
}

func checkOptions(input contract.ProductInput) error {
	names := map[string]bool{}
	for i, option := range input.Options {
		field := fmt.Sprintf("options[%d]", i)
		if err := checkWord(field+".name", option.Name, MaxAttributeName); err != nil {
			return err
		}
		if names[option.Name] {
			return contract.Invalid(field+".name", "%q stands there twice", option.Name)
		}
		names[option.Name] = true
		values := map[string]bool{}
		for _, value := range option.Values {
			if err := checkWord(field+".values", value, MaxOptionValue); err != nil {
				return err
			}
			if values[value] {
				return contract.Invalid(field+".values", "%q stands there twice", value)
			}
			values[value] = true
		}
	}
	return nil
}

func checkVariants(input contract.ProductInput) error {
	skus, combinations := map[string]bool{}, map[string]string{}
	for i, variant := range input.Variants {
		field := fmt.Sprintf("variants[%d]", i)
		err := firstError(checkWord(field+".sku", variant.SKU, maxSKU), checkText(field+".barcode", variant.Barcode),
			checkChoice(field+".options", input.Options, variant.Options), checkPrices(field, variant))
		if err == nil && variant.Image != nil {
			err = checkImage(field+".image", *variant.Image)
		}
		if err != nil {
			return err
		}
		if skus[variant.SKU] {
			return contract.Invalid(field+".sku", "%q names two variants", variant.SKU)
		}
		skus[variant.SKU] = true
		combination := strings.Join(chosen(input.Options, variant.Options), "\x00")
		if other, taken := combinations[combination]; taken {
			return contract.Invalid(field+".options", "%q and %q have the same options", other, variant.SKU)
		}
		combinations[combination] = variant.SKU
	}
	return nil
}

// checkChoice holds a variant to exactly the product's options, each with one of its values.
func checkChoice(field string, options []contract.Option, choice map[string]string) error {
	if len(choice) != len(options) {
		return contract.Invalid(field, "names %d options where the product has %d", len(choice), len(options))
	}
	for _, option := range options {
		value, named := choice[option.Name]
		if !named {
			return contract.Invalid(field, "does not name the option %q", option.Name)
		}
		if !slices.Contains(option.Values, value) {
			return contract.Invalid(field, "%q is not a value of the option %q", value, option.Name)
		}
	}
	return nil
}

// checkPrices allows a price of nothing, for what is given away, and no compare-at price without a price.
func checkPrices(field string, variant contract.VariantInput) error {
	priced := map[string]bool{}
	for _, price := range variant.Prices {
		if err := checkPrice(field+".prices", price, priced); err != nil {
			return err
		}
	}
	compared := map[string]bool{}
	for _, price := range variant.CompareAtPrices {
		if err := checkPrice(field+".compare_at_prices", price, compared); err != nil {
			return err
		}
		if !priced[price.Currency] {
			return contract.Invalid(field+".compare_at_prices", "there is no price in %s to compare with", price.Currency)
		}
	}
	return nil
}

func checkPrice(field string, price contract.Money, seen map[string]bool) error {
	if err := contract.ValidateCurrency(field, price.Currency); err != nil {
		return err
	}
	switch {
	case price.Amount < 0 || price.Amount > contract.MaxAmount:
		return contract.Invalid(field, "an amount is from 0 to %d minor units", int64(contract.MaxAmount))
	case seen[price.Currency]:
		return contract.Invalid(field, "%s stands there twice", price.Currency)
	}
	seen[price.Currency] = true
	return nil
}

// chosen gives a variant's values in the order of the product's options.
func chosen(options []contract.Option, choice map[string]string) []string {
	values := make([]string, len(options))
	for i, option := range options {
		values[i] = choice[option.Name]
	}
	return values
}

// variantTitle writes a variant's values as shoppers read them: "S / Blue"; empty when the product has no options.
func variantTitle(options []contract.Option, choice map[string]string) string {
	return strings.Join(chosen(options, choice), " / ")
}
