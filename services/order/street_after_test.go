package order_test

import (
	"encoding/json"
	"net/http"

	"github.com/meridian-store/meridian/contract"
)

// Amounts at which the street's provider behaves badly, as its tokens do for charges.
const (
	amountLostAnswer = 111 // given back, and the first answer is lost
	amountPending    = 222 // given back, and the first answer is that it is under way
	amountFails      = 444 // can not be given back
)

func (s *street) refund(r *http.Request) (int, any, error) {
	var request contract.RefundRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return 0, nil, err
	}
	saga := r.PathValue("saga")
	s.mu.Lock()
	defer s.mu.Unlock()
	payment, ok := s.payments[saga]
	if !ok {
		return 0, nil, contract.Errorf(contract.CodeNotFound, "no such payment")
	}
	refund, known := s.refunds[request.RefundID]
	if !known {
		refund = contract.Refund{ID: request.RefundID, SagaID: saga, Amount: request.Amount, State: contract.RefundStateSucceeded}
		if request.Amount.Amount == amountFails {
			refund.State, refund.Reason = contract.RefundStateFailed, "expired_or_canceled_card"
		} else if s.givenBack(saga)+request.Amount.Amount > payment.Amount.Amount {
			return 0, nil, contract.Errorf(contract.CodeConflict, "more than was captured")
		}
		s.refunds[request.RefundID] = refund
		switch request.Amount.Amount {
		case amountLostAnswer:
			return 0, nil, contract.Errorf(contract.CodeUnavailable, "the answer is lost")
		case amountPending:
			refund.State = contract.RefundStatePending
			return http.StatusAccepted, refund, nil
		}
	}
	return http.StatusCreated, refund, nil
}

// givenBack sums a saga's refunds; s.mu is held.
func (s *street) givenBack(saga string) (sum int64) {
	for _, refund := range s.refunds {
		if refund.SagaID == saga && refund.State == contract.RefundStateSucceeded {
			sum += refund.Amount.Amount
		}
	}
	return sum
}

func (s *street) returned(r *http.Request) (int, any, error) {
	var request contract.StockReturn
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.returns[request.ReturnID]; !known {
		held := s.holds[r.PathValue("saga")]
		for _, line := range request.Lines {
			s.stock[line.SKU] += line.Quantity
			for i := range held.Lines {
				if held.Lines[i].SKU == line.SKU {
					held.Lines[i].Quantity -= line.Quantity
					if held.Lines[i].Quantity < 0 {
						return 0, nil, contract.Errorf(contract.CodeConflict, "more than was sold")
					}
				}
			}
		}
		s.returns[request.ReturnID] = request
	}
	return http.StatusCreated, contract.Reservation{SagaID: r.PathValue("saga"), State: contract.ReservationSold}, nil
}

// back tells what came back of a saga: money, in how many refunds, and how many units of all sagas.
func (s *street) back(saga string) (money int64, refunds int, units int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, refund := range s.refunds {
		if refund.SagaID == saga && refund.State == contract.RefundStateSucceeded {
			refunds++
		}
	}
	for _, returned := range s.returns {
		for _, line := range returned.Lines {
			units += line.Quantity
		}
	}
	return s.givenBack(saga), refunds, units
}
