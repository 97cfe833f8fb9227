package payment

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// webhookLimit is many times the size of the provider's largest webhook.
const webhookLimit = 64 << 10

// Routes declares the service's HTTP operations. Only the provider's webhook is public: order charges and refunds.
func (s *Service) Routes(api *httpx.API) {
	tags := []string{"internal"}
	httpx.Handle(api, huma.Operation{OperationID: "charge", Method: http.MethodPost, Path: "/internal/v1/charges",
		Summary: "Charge a saga once", Description: "201 when captured or declined, 202 while the provider's answer is not known.",
		Tags: tags, DefaultStatus: http.StatusCreated}, s.postCharge)
	httpx.Handle(api, huma.Operation{OperationID: "get-charge", Method: http.MethodGet, Path: "/internal/v1/charges/{saga_id}",
		Summary: "A saga's charge", Tags: tags}, s.getCharge)
	httpx.Handle(api, huma.Operation{OperationID: "void-charge", Method: http.MethodPost, Path: "/internal/v1/charges/{saga_id}/void",
		Summary: "Make sure that a saga is not charged", Tags: tags, DefaultStatus: http.StatusOK}, s.postVoid)
	httpx.Handle(api, huma.Operation{OperationID: "refund", Method: http.MethodPost, Path: "/internal/v1/charges/{saga_id}/refunds",
		Summary: "Give back part or all of a saga's charge, once for each refund", Description: "201 when it succeeded or failed, 202 while the provider's answer is not known.",
		Tags: tags, DefaultStatus: http.StatusCreated}, s.postRefund)
	httpx.Handle(api, huma.Operation{OperationID: "get-refund", Method: http.MethodGet, Path: "/internal/v1/charges/{saga_id}/refunds/{refund_id}",
		Summary: "A refund", Tags: tags}, s.getRefund)
	httpx.Handle(api, huma.Operation{OperationID: "payment-webhook", Method: http.MethodPost, Path: "/api/v1/webhooks/payments",
		Summary: "The payment provider tells that something happened", Tags: []string{"payments"}, DefaultStatus: http.StatusOK,
		// Its bytes are what is signed; they are read only once the signature is known to be right.
		MaxBodyBytes: webhookLimit, SkipValidateBody: true}, s.postWebhook)
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

func (s *Service) postCharge(ctx context.Context, input *struct{ Body contract.ChargeRequest }) (*paymentOutput, error) {
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

func (s *Service) getCharge(ctx context.Context, input *sagaInput) (*paymentOutput, error) {
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

func (s *Service) postVoid(ctx context.Context, input *voidInput) (*paymentOutput, error) {
	p, err := s.void(ctx, input.SagaID, input.KeepCaptured)
	if err != nil {
		return nil, err
	}
	return output(http.StatusOK, p), nil
}

type refundOutput struct {
	Status int
	Body   contract.Refund
}

func (s *Service) postRefund(ctx context.Context, input *struct {
	SagaID string `path:"saga_id" maxLength:"64"`
	Body   contract.RefundRequest
}) (*refundOutput, error) {
	r, err := s.refund(ctx, input.SagaID, input.Body)
	if err != nil {
		return nil, err
	}
	status := http.StatusCreated
	if r.State == contract.RefundStatePending {
		status = http.StatusAccepted
	}
	return &refundOutput{Status: status, Body: r.Refund}, nil
}

func (s *Service) getRefund(ctx context.Context, input *struct {
	SagaID   string `path:"saga_id" maxLength:"64"`
	RefundID string `path:"refund_id" maxLength:"64"`
}) (*refundOutput, error) {
	r, err := s.lookUpRefund(ctx, input.SagaID, input.RefundID)
	if err != nil {
		return nil, err
	}
	return &refundOutput{Status: http.StatusOK, Body: r.Refund}, nil
}

type webhookInput struct {
	Signature string `header:"Stripe-Signature" maxLength:"1024"`
	RawBody   []byte `contentType:"application/json"`
}

func (s *Service) postWebhook(ctx context.Context, input *webhookInput) (*struct{}, error) {
	return nil, s.hear(ctx, input.RawBody, input.Signature)
}
