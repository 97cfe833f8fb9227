package cart

import (
	"context"

	"github.com/meridian-store/meridian/services/contract"
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

// userContents gives a user's own cart in this region; one that does not exist is empty.
func (a *api) userContents(ctx context.Context, in *UserPath) (*contentsOutput, error) {
	who, isUser := claimOfUser(in.UserID, a.shoppers.region.Code)
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
