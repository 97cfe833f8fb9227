package promotion

import (
	"fmt"
	"strings"

	"github.com/meridian-store/meridian/contract"
)

const codeLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// Normal gives the promotion with its code and title as they are kept.
func (p Promotion) Normal() Promotion {
	p.Code, p.Title = NormalCode(p.Code), strings.TrimSpace(p.Title)
	return p
}

// Validate refuses a promotion that says nothing, or what its kind has no use for; errors name the field. It takes a Normal one.
func (p Promotion) Validate() error {
	if p.Title == "" {
		return contract.Invalid("title", "is required")
	}
	if strings.Trim(p.Code, codeLetters) != "" {
		return contract.Invalid("code", "may hold letters, digits, - and _ alone")
	}
	if p.StartsAt != nil && p.EndsAt != nil && !p.StartsAt.Before(*p.EndsAt) {
		return contract.Invalid("ends_at", "has to be after starts_at")
	}
	if err := amounts("minimum_subtotal", p.Minimum); err != nil {
		return err
	}
	if err := distinct("skus", p.SKUs); err != nil {
		return err
	}
	if err := distinct("shipping_methods", p.ShippingMethods); err != nil {
		return err
	}
	return p.validateKind()
}

func (p Promotion) validateKind() error {
	needs := func(kinds ...Kind) bool {
		for _, kind := range kinds {
			if p.Kind == kind {
				return true
			}
		}
		return false
	}
	for _, rule := range []struct {
		field         string
		given, needed bool
	}{
		{"basis_points", p.BasisPoints != 0, needs(Percentage, BuyXGetY)},
		{"amounts", len(p.Amounts) > 0, needs(Amount)},
		{"buy", p.Buy != 0, needs(BuyXGetY)},
		{"get", p.Get != 0, needs(BuyXGetY)},
	} {
		if rule.needed && !rule.given {
			return contract.Invalid(rule.field, "is required for %s", p.Kind)
		}
		if rule.given && !rule.needed {
			return contract.Invalid(rule.field, "means nothing for %s", p.Kind)
		}
	}
	switch {
	case !needs(Percentage, Amount, BuyXGetY, FreeShipping):
		return contract.Invalid("kind", "%q is not percentage, amount, buy_x_get_y or free_shipping", p.Kind)
	case len(p.ShippingMethods) > 0 && !needs(FreeShipping):
		return contract.Invalid("shipping_methods", "means nothing for %s", p.Kind)
	}
	return amounts("amounts", p.Amounts)
}

// amounts refuses what is not one positive amount for each currency.
func amounts(field string, given []contract.Money) error {
	seen := map[string]bool{}
	for i, money := range given {
		name := fmt.Sprintf("%s[%d]", field, i)
		if err := contract.ValidateCurrency(name+".currency", money.Currency); err != nil {
			return err
		}
		if money.Amount <= 0 || money.Amount > contract.MaxAmount {
			return contract.Invalid(name+".amount", "has to be 1 to %d minor units", int64(contract.MaxAmount))
		}
		if seen[money.Currency] {
			return contract.Invalid(name+".currency", "%s is there twice", money.Currency)
		}
		seen[money.Currency] = true
	}
	return nil
}

const maxNameLength = 100

func distinct(field string, names []string) error {
	seen := map[string]bool{}
	for i, name := range names {
		switch {
		case name == "" || len(name) > maxNameLength:
			return contract.Invalid(fmt.Sprintf("%s[%d]", field, i), "has to be 1 to %d bytes", maxNameLength)
		case seen[name]:
			return contract.Invalid(fmt.Sprintf("%s[%d]", field, i), "%q is there twice", name)
		}
		seen[name] = true
	}
	return nil
}
