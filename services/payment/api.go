package payment

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/httpx"
)

// routes is the service's whole surface. Nothing of it is public: only an order's saga charges.
func (s *service) routes(api *httpx.API) {
	tags := []string{"internal"}
	httpx.Handle(api, huma.Operation{OperationID: "charge", Method: http.MethodPost, Path: "/internal/v1/charges",
		Summary: "Charge a saga once", Description: "201 when captured or declined, 202 while the provider's answer is not known.",
		Tags: tags, DefaultStatus: http.StatusCreated}, s.postCharge)
	httpx.Handle(api, huma.Operation{OperationID: "get-charge", Method: http.MethodGet, Path: "/internal/v1/charges/{saga_id}",
		Summary: "A saga's charge", Tags: tags}, s.getCharge)
	httpx.Handle(api, huma.Operation{OperationID: "void-charge", Method: http.MethodPost, Path: "/internal/v1/charges/{saga_id}/void",
		Summary: "Make sure that a saga is not charged", Tags: tags, DefaultStatus: http.StatusOK}, s.postVoid)
}

type paymentOutput struct {
	Status int
	Body   contract.Payment
}

// output shows a payment that is being voided as pending: what is taken of it is not settled.
func output(status int, p payment) *paymentOutput {
	if p.voiding {
		p.State = contract.PaymentStatePending
	}
	return &paymentOutput{Status: status, Body: p.Payment}
}

func (s *service) postCharge(ctx context.Context, input *struct{ Body contract.ChargeRequest }) (*paymentOutput, error) {
	p, err := s.charge(ctx, input.Body)
	if err != nil {
		return nil, err
	}
	status := http.StatusCreated
	if p.State == contract.PaymentStatePending {
		status = http.StatusAccepted
	}
	return output(status, p), nil
}

type sagaInput struct {
	SagaID string `path:"saga_id" maxLength:"64"`
}

func (s *service) getCharge(ctx context.Context, input *sagaInput) (*paymentOutput, error) {
	p, err := s.lookUp(ctx, input.SagaID)
	if err != nil {
		return nil, err
	}
	return output(http.StatusOK, p), nil
}

type voidInput struct {
	SagaID       string `path:"saga_id" maxLength:"64"`
	KeepCaptured bool   `query:"keep_captured" doc:"Leave a charge that stands; the answer's state tells"`
}

func (s *service) postVoid(ctx context.Context, input *voidInput) (*paymentOutput, error) {
	p, err := s.void(ctx, input.SagaID, input.KeepCaptured)
	if err != nil {
		return nil, err
	}
	return output(http.StatusOK, p), nil
}
