package order

import (
	"context"
	"slices"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/auth"
)

type getInput struct {
	CartClaim
	ID string `path:"id" maxLength:"64"`
}

type orderOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         contract.Order
}

// handleGet shows an order to support, to the user who bought it, and to whoever presents the cart that did; to others there is none.
func (s *service) handleGet(ctx context.Context, input *getInput) (*orderOutput, error) {
	claims, signed := auth.FromContext(ctx)
	support := signed && slices.Contains([]string{contract.RoleSupport, contract.RoleAdmin}, claims.Role)
	ref, refErr := s.ref(ctx, input.CartClaim)
	id, err := geo.ParseID(input.ID)
	home, known := s.homes[id.Region]
	if err != nil || id.Kind != "ord" || !known || (!support && refErr != nil && ref.userID == "") {
		return nil, errNoOrder()
	}
	order, err := s.store.order(ctx, home, input.ID)
	if err != nil {
		return nil, err
	}
	if !support && !order.ownedBy(ref) {
		return nil, errNoOrder()
	}
	return &orderOutput{CacheControl: private, Body: order.Order}, nil
}

type listInput struct {
	CartClaim
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor string `query:"cursor" maxLength:"80" doc:"next_cursor of the page before"`
}

type listOutput struct {
	CacheControl string `header:"Cache-Control"`
	Link         string `header:"Link"`
	Body         struct {
		Items      []contract.Order `json:"items"`
		NextCursor string           `json:"next_cursor,omitempty"`
	}
}

func (s *service) handleList(ctx context.Context, input *listInput) (*listOutput, error) {
	ref, err := s.ref(ctx, input.CartClaim)
	if err != nil {
		return nil, err
	}
	if ref.text == "" {
		return s.listOfUser(ctx, ref.userID, input)
	}
	if input.Cursor != "" {
		if id, err := geo.ParseID(input.Cursor); err != nil || id.Kind != "ord" {
			return nil, contract.Invalid("cursor", "is not one that this list gave")
		}
	}
	home, known := s.homes[ref.region]
	if !known {
		return nil, errNoCart()
	}
	orders, err := s.store.ofCart(ctx, home, ref.id, input.Cursor, input.Limit+1)
	if err != nil {
		return nil, err
	}
	output := &listOutput{CacheControl: private}
	output.Body.Items = []contract.Order{}
	for i, order := range orders {
		if i == input.Limit {
			output.Body.NextCursor = orders[i-1].ID
			output.Link = `</api/v1/orders?cursor=` + orders[i-1].ID + `>; rel="next"`
			break
		}
		if order.ownedBy(ref) {
			output.Body.Items = append(output.Body.Items, order.Order)
		}
	}
	return output, nil
}
