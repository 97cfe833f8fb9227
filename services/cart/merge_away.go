package cart

import (
	"context"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// homeTimeout is how long a merge waits for the user's home: a login waits a little longer than that for the merge.
const homeTimeout = 800 * time.Millisecond

// move takes a closed cart's lines into its user's at the user's home. Only while that is not there do they move into the cart as it is
// known here, which the home merges with its own when it is back.
func (s *shoppers) move(ctx context.Context, guest cart, owner claim, userID string) ([]contract.SKUCount, error) {
	if owner.region == s.region.Code {
		return s.moveIn(ctx, guest, owner)
	}
	sent := contract.GuestCart{Currency: guest.currency, Lines: guest.contents().Lines, Codes: []contract.CartPromotion{}}
	for _, entered := range guest.entered() {
		sent.Codes = append(sent.Codes, contract.CartPromotion{Code: entered.code, Title: entered.title})
	}
	var merge contract.CartMerge
	err := s.neighbours.Do(ctx, httpx.Call{
		Service: contract.ServiceGateway, Method: http.MethodPut, Path: "/internal/v1/users/" + userID + "/cart/guests/" + guest.id,
		In: sent, Out: &merge, Timeout: homeTimeout,
	})
	if contract.CodeOf(err) == contract.CodeNotFound { // the gateway knows no healthy home
		return s.moveIn(ctx, guest, owner)
	}
	// A home that did not answer may have taken the lines. The next refresh asks again.
	return merge.LeftOut, err
}

// takeIn is the home's part of move. The guest's cart is of another region; that it has moved here is noted first, so that what was
// bought of it leaves the user's cart too, whenever the order's event comes.
func (s *shoppers) takeIn(ctx context.Context, guest cart, userID string) (contract.CartMerge, error) {
	owner, isUser := claimOfUser(userID)
	if !isUser {
		return contract.CartMerge{}, contract.Invalid("user_id", "is not a user's id")
	}
	if err := s.store.noteMoved(ctx, guest, owner.id); err != nil {
		return contract.CartMerge{}, err
	}
	left, err := s.moveIn(ctx, guest, owner)
	return contract.CartMerge{Merged: err == nil, LeftOut: left}, err
}
