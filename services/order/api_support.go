package order

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// routesOfSupport are what support does with anyone's orders.
func (s *Service) routesOfSupport(api *httpx.API) {
	support := httpx.ForRoles(contract.RoleSupport, contract.RoleAdmin)
	tags := []string{"orders (admin)"}
	httpx.Handle(api, huma.Operation{
		OperationID: "admin-list-orders", Method: http.MethodGet, Path: "/api/v1/admin/orders", Tags: tags, Security: support,
		Summary: "Orders of all regions by status, newest first; those in the archive are found by id or number",
	}, s.handleAdminList)
	httpx.Handle(api, huma.Operation{
		OperationID: "admin-get-order", Method: http.MethodGet, Path: "/api/v1/admin/orders/{id}", Tags: tags, Security: support,
		Summary: "An order with everything that became of it", Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.handleAdminGet)
	const of = "/api/v1/admin/orders/{id}"
	post := func(id, path, summary string, status int) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: http.MethodPost, Path: of + path, Tags: tags, Security: support, MaxBodyBytes: maxBody, DefaultStatus: status, Summary: summary,
			Errors: append(slices.Clone(errorsOfDeeds), http.StatusForbidden, http.StatusPreconditionFailed),
		}
	}
	httpx.Handle(api, post("admin-cancel-order", "/cancel", "Cancels whatever has not been sent: it is refunded and goes back on sale", http.StatusOK), s.handleAdminCancel)
	httpx.Handle(api, post("admin-fulfil-order", "/fulfilments", "Records that goods were sent, and where they can be followed", http.StatusCreated), s.handleFulfil)
	httpx.Handle(api, post("admin-receive-return", "/returns/{return_id}/receive", "Records that a return has arrived: it is refunded, and restocked if wanted", http.StatusOK), s.handleReceive)
	httpx.Handle(api, post("admin-refuse-return", "/returns/{return_id}/refuse", "Refuses a return", http.StatusOK), s.handleRefuse)
	httpx.Handle(api, post("admin-refund-order", "/refunds", "Gives money back without goods: an amount, what lines cost, or all that is left", http.StatusCreated), s.handleRefund)
}

type adminListInput struct {
	Status string `query:"status" maxLength:"200" doc:"One or more of the statuses, with commas between; all when absent"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor string `query:"cursor" maxLength:"80" doc:"next_cursor of the page before"`
}

func (s *Service) handleAdminList(ctx context.Context, input *adminListInput) (*listOutput, error) {
	statuses := contract.OrderStatuses()
	if input.Status != "" {
		statuses = strings.Split(input.Status, ",")
	}
	for _, status := range statuses {
		if !slices.Contains(contract.OrderStatuses(), status) {
			return nil, contract.Invalid("status", "is not one of %s", strings.Join(contract.OrderStatuses(), ", "))
		}
	}
	slices.Sort(statuses)
	after := beforeAll(s.now())
	if input.Cursor != "" {
		var err error
		if after, err = parsePlace(input.Cursor); err != nil {
			return nil, err
		}
	}
	found, err := s.store.byStatus(ctx, s.homeNames(), slices.Compact(statuses), after, input.Limit+1)
	if err != nil {
		return nil, err
	}
	output := &listOutput{CacheControl: private}
	if len(found) > input.Limit {
		found = found[:input.Limit]
		last := found[input.Limit-1]
		output.Body.NextCursor = place{last.CreatedAt, last.ID}.String()
		output.Link = fmt.Sprintf(`</api/v1/admin/orders?status=%s&cursor=%s>; rel="next"`, input.Status, output.Body.NextCursor)
	}
	output.Body.Items, err = s.fill(ctx, merge(found, nil, byTime, input.Limit))
	return output, err
}

func (s *Service) handleAdminGet(ctx context.Context, input *struct {
	ID string `path:"id" maxLength:"64"`
}) (*orderOutput, error) {
	order, err := s.findOrder(ctx, input.ID, anyone)
	if err != nil {
		return nil, err
	}
	return answerOrder(order), nil
}

// Conditional is how support changes what it has read.
type Conditional struct {
	Keyed
	IfMatch string `header:"If-Match" doc:"Refuse with 412 unless this is the order's newest ETag"`
}

func (c Conditional) request(verb string, body any) request {
	return request{orderID: c.ID, key: c.Key, ifMatch: c.IfMatch, verb: verb, body: body, may: anyone}
}

type adminCancelInput struct {
	Conditional
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *Service) handleAdminCancel(ctx context.Context, input *adminCancelInput) (*deedOutput[contract.OrderCancellation], error) {
	done, err := s.act(ctx, input.request("admin cancel", input.Body), func(as author) (deed, error) { return as.cancelOpen(input.Body.Reason) })
	return answerDeed[contract.OrderCancellation](input.ID, done, err)
}

type fulfilInput struct {
	Conditional
	Body struct {
		Lines    lines              `json:"lines,omitempty" maxItems:"200" doc:"Everything that has not been sent when absent"`
		Tracking *contract.Tracking `json:"tracking,omitempty"`
	}
}

func (s *Service) handleFulfil(ctx context.Context, input *fulfilInput) (*deedOutput[contract.OrderFulfilment], error) {
	if err := input.Body.Lines.validate(); err != nil {
		return nil, err
	}
	if err := validateTracking(input.Body.Tracking); err != nil {
		return nil, err
	}
	done, err := s.act(ctx, input.request("fulfil", input.Body), func(as author) (deed, error) { return as.fulfil(input.Body.Lines, input.Body.Tracking) })
	return answerDeed[contract.OrderFulfilment](input.ID, done, err)
}

type receiveInput struct {
	Conditional
	ReturnID string `path:"return_id" maxLength:"64"`
	Body     struct {
		Restock bool            `json:"restock" doc:"Whether the goods go back on sale"`
		Amount  *contract.Money `json:"amount,omitempty" doc:"What is given back; what the goods cost when absent, nothing when 0"`
		Note    string          `json:"note,omitempty" maxLength:"500"`
	}
}

func (s *Service) handleReceive(ctx context.Context, input *receiveInput) (*deedOutput[contract.OrderReturn], error) {
	done, err := s.act(ctx, input.request("receive "+input.ReturnID, input.Body), func(as author) (deed, error) {
		return as.receive(input.ReturnID, input.Body.Restock, input.Body.Amount, input.Body.Note)
	})
	return answerDeed[contract.OrderReturn](input.ID, done, err)
}

type refuseInput struct {
	Conditional
	ReturnID string `path:"return_id" maxLength:"64"`
	Body     struct {
		Note string `json:"note" minLength:"1" maxLength:"500" doc:"Why; the shopper reads it"`
	}
}

func (s *Service) handleRefuse(ctx context.Context, input *refuseInput) (*deedOutput[contract.OrderReturn], error) {
	done, err := s.act(ctx, input.request("refuse "+input.ReturnID, input.Body), func(as author) (deed, error) {
		return as.refuseReturn(input.ReturnID, input.Body.Note)
	})
	return answerDeed[contract.OrderReturn](input.ID, done, err)
}

type refundInput struct {
	Conditional
	Body struct {
		Amount *contract.Money `json:"amount,omitempty" doc:"Above 0; what the lines cost, or all that is left, when absent"`
		Lines  lines           `json:"lines,omitempty" maxItems:"200"`
		Reason string          `json:"reason" minLength:"1" maxLength:"500"`
	}
}

func (s *Service) handleRefund(ctx context.Context, input *refundInput) (*deedOutput[contract.OrderRefund], error) {
	if err := input.Body.Lines.validate(); err != nil {
		return nil, err
	}
	if amount := input.Body.Amount; amount != nil && (amount.Amount <= 0 || len(input.Body.Lines) > 0) {
		return nil, contract.Invalid("amount", "has to be above 0, and stands instead of lines")
	}
	done, err := s.act(ctx, input.request("refund", input.Body), func(as author) (deed, error) {
		return as.refundMoney(input.Body.Amount, input.Body.Lines, input.Body.Reason)
	})
	return answerDeed[contract.OrderRefund](input.ID, done, err)
}
