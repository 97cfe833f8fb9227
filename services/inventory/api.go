package inventory

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// Routes declares the service's HTTP operations.
func (s *Service) Routes(api *httpx.API) {
	internal, admin := []string{"internal"}, []string{"admin"}
	operators := httpx.ForRoles(contract.RoleMerchandiser, contract.RoleAdmin)

	httpx.Handle(api, huma.Operation{OperationID: "get-availability", Method: http.MethodGet, Path: "/api/v1/inventory/{sku}",
		Summary: "Availability of a SKU in each region", Tags: []string{"inventory"}}, s.getAvailability)

	httpx.Handle(api, huma.Operation{OperationID: "get-stock", Method: http.MethodGet, Path: "/api/v1/admin/inventory/{sku}",
		Summary: "Stock of a SKU in each warehouse", Tags: admin, Security: operators}, s.getStock)
	httpx.Handle(api, huma.Operation{OperationID: "put-count", Method: http.MethodPut, Path: "/api/v1/admin/inventory/{sku}",
		Summary: "Set what is on hand of a SKU in a warehouse", Tags: admin, Security: operators}, s.putCount)
	httpx.Handle(api, huma.Operation{OperationID: "post-counts", Method: http.MethodPost, Path: "/api/v1/admin/inventory",
		Summary: "Set what is on hand of many SKUs", Tags: admin, Security: operators, DefaultStatus: http.StatusOK}, s.postCounts)

	httpx.Handle(api, huma.Operation{OperationID: "post-adjustments", Method: http.MethodPost, Path: "/api/v1/admin/inventory/adjustments",
		Summary: "Change what is on hand of many SKUs by what came or went", Tags: admin, Security: operators, DefaultStatus: http.StatusOK}, s.postAdjustments)
	httpx.Handle(api, huma.Operation{OperationID: "list-movements", Method: http.MethodGet, Path: "/api/v1/admin/inventory/{sku}/movements",
		Summary: "The ledger of a SKU, newest first", Tags: admin, Security: operators}, s.getMovements)
	httpx.Handle(api, huma.Operation{OperationID: "put-buckets", Method: http.MethodPut, Path: "/api/v1/admin/inventory/{sku}/buckets",
		Summary: "Spread a SKU's stock over rows, for a sale that many processes serve at once", Tags: admin, Security: operators}, s.putBuckets)

	httpx.Handle(api, huma.Operation{OperationID: "import-counts", Method: http.MethodPost, Path: "/internal/v1/counts",
		Summary: "Set what is on hand of many SKUs, for the imports service", Tags: internal, DefaultStatus: http.StatusOK}, s.postCounts)
	httpx.Handle(api, huma.Operation{OperationID: "reserve", Method: http.MethodPost, Path: "/internal/v1/reservations",
		Summary: "Hold stock for a saga", Tags: internal, DefaultStatus: http.StatusCreated}, s.postReservation)
	httpx.Handle(api, huma.Operation{OperationID: "get-reservation", Method: http.MethodGet, Path: "/internal/v1/reservations/{saga_id}",
		Summary: "A saga's reservation", Tags: internal}, answer(s.lookUp))
	httpx.Handle(api, huma.Operation{OperationID: "release", Method: http.MethodPost, Path: "/internal/v1/reservations/{saga_id}/release",
		Summary: "Give a saga's stock back", Tags: internal, DefaultStatus: http.StatusOK}, answer(s.release))
	httpx.Handle(api, huma.Operation{OperationID: "confirm", Method: http.MethodPost, Path: "/internal/v1/reservations/{saga_id}/confirm",
		Summary: "Sell what a saga holds", Tags: internal, DefaultStatus: http.StatusOK}, answer(s.confirm))
	httpx.Handle(api, huma.Operation{OperationID: "return", Method: http.MethodPost, Path: "/internal/v1/reservations/{saga_id}/returns",
		Summary: "Put units of a saga's sale back on hand", Tags: internal, DefaultStatus: http.StatusCreated}, s.postReturn)
}

type reservationOutput struct {
	Status int
	Body   contract.Reservation
}

type sagaInput struct {
	SagaID string `path:"saga_id" maxLength:"64"`
}

func (s *Service) postReservation(ctx context.Context, input *struct{ Body contract.ReservationRequest }) (*reservationOutput, error) {
	r, created, err := s.reserve(ctx, input.Body)
	if err != nil {
		return nil, err
	}
	return &reservationOutput{Status: statusOf(created), Body: r.Reservation}, nil
}

type returnInput struct {
	SagaID string `path:"saga_id" maxLength:"64"`
	Body   contract.StockReturn
}

func (s *Service) postReturn(ctx context.Context, input *returnInput) (*reservationOutput, error) {
	r, created, err := s.takeBack(ctx, input.SagaID, input.Body)
	if err != nil {
		return nil, err
	}
	return &reservationOutput{Status: statusOf(created), Body: r.Reservation}, nil
}

// statusOf tells what was made now from what was there already.
func statusOf(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusOK
}

// answer makes a handler of something that is done to a saga's reservation.
func answer(do func(context.Context, string) (reservation, error)) func(context.Context, *sagaInput) (*reservationOutput, error) {
	return func(ctx context.Context, input *sagaInput) (*reservationOutput, error) {
		r, err := do(ctx, input.SagaID)
		if err != nil {
			return nil, err
		}
		return &reservationOutput{Status: http.StatusOK, Body: r.Reservation}, nil
	}
}
