package inventory

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/httpx"
)

// routes is the service's whole surface.
func (s *service) routes(api *httpx.API) {
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
}

type reservationOutput struct {
	Status int
	Body   contract.Reservation
}

type sagaInput struct {
	SagaID string `path:"saga_id" maxLength:"64"`
}

func (s *service) postReservation(ctx context.Context, input *struct{ Body contract.ReservationRequest }) (*reservationOutput, error) {
	r, created, err := s.reserve(ctx, input.Body)
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return &reservationOutput{Status: status, Body: r.Reservation}, nil
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
