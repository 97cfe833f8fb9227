package order

import (
	"context"
	"slices"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/auth"
)

type getInput struct {
	CartClaim
	ID string `path:"id" maxLength:"64"`
}

type orderOutput struct {
	CacheControl string `header:"Cache-Control"`
	ETag         string `header:"ETag" doc:"For If-Match"`
	Body         contract.Order
}

// handleGet shows an order to support, to the user who bought it, and to whoever presents the cart that did; to others there is none.
func (s *Service) handleGet(ctx context.Context, input *getInput) (*orderOutput, error) {
	may := s.buyer(ctx, input.CartClaim)
	if isSupport(ctx) {
		may = anyone
	}
	order, err := s.findOrder(ctx, input.ID, may)
	if err != nil {
		return nil, err
	}
	return answerOrder(order), nil
}

func answerOrder(order placed) *orderOutput {
	return &orderOutput{CacheControl: private, ETag: etagOf(order), Body: order.Order}
}

func isSupport(ctx context.Context) bool {
	claims, signed := auth.FromContext(ctx)
	return signed && slices.Contains([]string{contract.RoleSupport, contract.RoleAdmin}, claims.Role)
}

func anyone(placed) error { return nil }

// buyer lets the user who bought an order through, and whoever presents the cart that did; to others there is no such order.
func (s *Service) buyer(ctx context.Context, claim CartClaim) func(placed) error {
	ref, err := s.ref(ctx, claim)
	return func(order placed) error {
		if (err != nil && ref.userID == "") || !order.ownedBy(ref) {
			return errNoOrder()
		}
		return nil
	}
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

func (s *Service) handleList(ctx context.Context, input *listInput) (*listOutput, error) {
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
	live, err := s.store.ofCart(ctx, home, ref.id, input.Cursor, input.Limit+1)
	if err != nil {
		return nil, err
	}
	kept, err := s.store.archivedOfCart(ctx, home, ref.id, input.Cursor, input.Limit+1)
	if err != nil {
		return nil, err
	}
	output := &listOutput{CacheControl: private}
	page := merge(live, kept, byID, input.Limit+1)
	if len(page) > input.Limit {
		page = page[:input.Limit]
		output.Body.NextCursor = page[input.Limit-1].ID
		output.Link = `</api/v1/orders?cursor=` + output.Body.NextCursor + `>; rel="next"`
	}
	page = slices.DeleteFunc(page, func(item listed) bool { return !item.ownedBy(ref) })
	output.Body.Items, err = s.fill(ctx, page)
	return output, err
}
