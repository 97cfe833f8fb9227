package cart

import (
	"context"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

type contentsInput struct {
	Header string `header:"X-Cart-Id" required:"true" maxLength:"128"`
}

type contentsOutput struct{ Body contract.CartContents }

func (a *api) contents(ctx context.Context, in *contentsInput) (*contentsOutput, error) {
	var r request
	if who, wellFormed := parseClaim(in.Header); wellFormed {
		r.who = &who
	}
	contents, err := a.shoppers.contents(ctx, r)
	if err != nil {
		return nil, err
	}
	return &contentsOutput{Body: contents}, nil
}

// UserPath names a user whom the calling service knows to be the one who asks.
type UserPath struct {
	UserID string `path:"user_id" maxLength:"64"`
}

// userContents gives a user's own cart; one that does not exist is empty.
func (a *api) userContents(ctx context.Context, in *UserPath) (*contentsOutput, error) {
	who, isUser := claimOfUser(in.UserID)
	if !isUser {
		return nil, contract.Invalid("user_id", "is not a user's id")
	}
	contents, err := a.shoppers.contents(ctx, request{who: &who})
	if contract.CodeOf(err) == contract.CodeNotFound {
		empty := contract.CartContents{CartID: who.id, Currency: contract.DefaultCurrency, Lines: []contract.SKUCount{}}
		return &contentsOutput{Body: empty}, nil
	}
	if err != nil {
		return nil, err
	}
	return &contentsOutput{Body: contents}, nil
}

type mergeInput struct {
	Header string `header:"X-Cart-Id" required:"true" maxLength:"128"`
	Body   contract.CartMergeRequest
}

type mergeOutput struct{ Body contract.CartMerge }

func (a *api) merge(ctx context.Context, in *mergeInput) (*mergeOutput, error) {
	var guest request
	if who, wellFormed := parseClaim(in.Header); wellFormed {
		guest.who = &who
	}
	merge, err := a.shoppers.merge(ctx, guest, in.Body.UserID)
	if err != nil {
		return nil, err
	}
	return &mergeOutput{Body: merge}, nil
}

type takeGuestInput struct {
	UserPath
	CartID string `path:"cart_id" maxLength:"64"`
	Body   contract.GuestCart
}

func (a *api) takeGuestIn(ctx context.Context, in *takeGuestInput) (*mergeOutput, error) {
	guest, err := guestOf(in.CartID, in.Body)
	if err != nil {
		return nil, err
	}
	merge, err := a.shoppers.takeIn(ctx, guest, in.UserID)
	if err != nil {
		return nil, err
	}
	return &mergeOutput{Body: merge}, nil
}

// guestOf reads a closed cart of another region, and refuses what none of ours would send.
func guestOf(id string, sent contract.GuestCart) (cart, error) {
	if parsed, err := geo.ParseID(id); err != nil || parsed.Kind != idKind {
		return cart{}, contract.Invalid("cart_id", "is not a cart's id")
	}
	if err := contract.ValidateCurrency("currency", sent.Currency); err != nil {
		return cart{}, err
	}
	guest := cart{id: id, currency: sent.Currency}
	for _, l := range sent.Lines {
		if err := validateSKU(l.SKU); err != nil {
			return cart{}, err
		}
		if l.Quantity < 1 || l.Quantity > contract.MaxLineQuantity {
			return cart{}, contract.Invalid("lines", "has a quantity that no line can have")
		}
		guest.lines = append(guest.lines, line{sku: l.SKU, quantity: l.Quantity})
	}
	for _, each := range sent.Codes {
		name, err := readCode(each.Code)
		if err != nil {
			return cart{}, err
		}
		guest.codes = append(guest.codes, code{code: name, title: bounded(each.Title), entered: true})
	}
	return guest, nil
}

type takeOrderInput struct {
	CartID string `path:"cart_id" maxLength:"64"`
	Body   contract.OrderChange
}

// takeOrder does at once what the event OrderConfirmed does when it comes; whichever is second changes nothing.
func (a *api) takeOrder(ctx context.Context, in *takeOrderInput) (*struct{}, error) {
	if in.Body.CartID != in.CartID {
		return nil, contract.Invalid("cart_id", "is another cart than the path's")
	}
	if err := validateOrder(in.Body); err != nil {
		return nil, err
	}
	return nil, a.vault.confirm(ctx, in.Body)
}
