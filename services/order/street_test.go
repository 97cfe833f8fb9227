package order_test

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/local/kittest"
)

// street is the order service's neighbours, played by the test: each keeps its ledger, repeats what it was asked before and
// leaves tombstones, as the contract says.
type street struct {
	mu       sync.Mutex
	carts    map[string]contract.CartContents
	prices   map[string]int64
	stock    map[string]int64
	holds    map[string]contract.ReservationRequest
	released map[string]bool
	payments map[string]contract.Payment
	charges  map[string]int
	tokens   map[string]bool
	// closed services answer 503.
	closed map[string]bool
	// returns and refunds are by their ids.
	returns map[string]contract.StockReturn
	refunds map[string]contract.Refund
	// slow holds back the answer to tok_slow until it is closed.
	slow chan struct{}
}

func newStreet() *street {
	return &street{
		carts: map[string]contract.CartContents{}, prices: map[string]int64{"APRON": 1999, "BOWL": 333, "RARE": 9900}, stock: map[string]int64{"APRON": 1e6, "BOWL": 1e6},
		holds: map[string]contract.ReservationRequest{}, released: map[string]bool{}, payments: map[string]contract.Payment{}, charges: map[string]int{}, tokens: map[string]bool{},
		closed: map[string]bool{}, returns: map[string]contract.StockReturn{}, refunds: map[string]contract.Refund{}, slow: make(chan struct{}),
	}
}

// open lets the service under test find the neighbours.
func (s *street) open(t *testing.T, shop *kittest.Service) {
	t.Helper()
	serve := func(name string, routes map[string]func(*http.Request) (int, any, error)) {
		mux := http.NewServeMux()
		for pattern, handle := range routes {
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get(contract.HeaderInternal) != shop.Env.InternalSecret.Current() {
					t.Errorf("%s %s came without the internal secret", r.Method, r.URL.Path)
				}
				status, body, err := http.StatusServiceUnavailable, any(nil), error(contract.Errorf(contract.CodeUnavailable, "closed"))
				if !s.isClosed(name) {
					status, body, err = handle(r)
				}
				if err != nil {
					problem := httpx.NewProblem(r.Context(), err)
					status, body = problem.Status, problem
					w.Header().Set("Content-Type", httpx.ProblemContentType)
				}
				w.WriteHeader(status)
				// A caller who has gone is some tests' point.
				_ = json.NewEncoder(w).Encode(body)
			})
		}
		shop.Neighbour(t, name, mux)
	}
	serve(contract.ServiceCart, map[string]func(*http.Request) (int, any, error){
		"GET /internal/v1/cart": s.getCart, "GET /internal/v1/users/{user}/cart": s.getUserCart, "POST /internal/v1/carts/{cart}/orders": s.takeOut,
	})
	serve(contract.ServiceCatalog, map[string]func(*http.Request) (int, any, error){"POST /internal/v1/skus": s.postSKUs})
	serve(contract.ServiceInventory, map[string]func(*http.Request) (int, any, error){
		"POST /internal/v1/reservations": s.reserve, "POST /internal/v1/reservations/{saga}/release": s.release,
		"POST /internal/v1/reservations/{saga}/returns": s.returned,
	})
	serve(contract.ServicePayment, map[string]func(*http.Request) (int, any, error){
		"POST /internal/v1/charges": s.charge, "GET /internal/v1/charges/{saga}": s.payment, "POST /internal/v1/charges/{saga}/void": s.void,
		"POST /internal/v1/charges/{saga}/refunds": s.refund,
	})
}

func (s *street) isClosed(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed[name]
}

func (s *street) setClosed(name string, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed[name] = closed
}

// fill makes a cart of a region with one unit of each SKU and gives its claim.
func (s *street) fill(code string, skus ...string) string {
	var secret [16]byte
	rand.Read(secret[:])
	id := geo.NewID("crt", code)
	ref := id + "." + hex.EncodeToString(secret[:])
	cart := contract.CartContents{CartID: id, Version: int64(len(skus)), Currency: "USD"}
	for _, sku := range skus {
		cart.Lines = append(cart.Lines, contract.SKUCount{SKU: sku, Quantity: 1})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.carts[ref] = cart
	return ref
}

// change replaces a cart's lines, as its shopper or a confirmed order would.
func (s *street) change(ref string, lines ...contract.SKUCount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cart := s.carts[ref]
	cart.Lines, cart.Version = lines, cart.Version+1
	s.carts[ref] = cart
}

// add puts one unit more of a SKU in a cart.
func (s *street) add(ref, sku string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cart := s.carts[ref]
	cart.Version++
	lines := slices.Clone(cart.Lines)
	if i := slices.IndexFunc(lines, func(l contract.SKUCount) bool { return l.SKU == sku }); i >= 0 {
		lines[i].Quantity++
	} else {
		lines = append(lines, contract.SKUCount{SKU: sku, Quantity: 1})
	}
	cart.Lines = lines
	s.carts[ref] = cart
}

// forgetOrders gives a cart back as a backup had it.
func (s *street) forgetOrders(ref string, lines ...contract.SKUCount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cart := s.carts[ref]
	cart.Lines, cart.TakenOrders, cart.Version = lines, nil, 1
	s.carts[ref] = cart
}

func (s *street) setPrice(sku string, amount int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prices[sku] = amount
}

func (s *street) getCart(r *http.Request) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cart, ok := s.carts[r.Header.Get(contract.HeaderCartID)]
	if !ok {
		return 0, nil, contract.Errorf(contract.CodeNotFound, "no such cart")
	}
	return http.StatusOK, cart, nil
}

// getUserCart finds a user's cart by its id, as change keeps it.
func (s *street) getUserCart(r *http.Request) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := contract.UserCartID(r.PathValue("user"))
	cart := s.carts[id]
	cart.CartID, cart.Currency = id, "USD"
	return http.StatusOK, cart, nil
}

// takeOut takes a confirmed order's goods out of its cart, once.
func (s *street) takeOut(r *http.Request) (int, any, error) {
	var order contract.OrderChange
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for ref, cart := range s.carts {
		known := ref == order.CartID || cart.CartID == order.CartID // a user's cart is kept by its id
		if !known || order.CartID != r.PathValue("cart") || slices.Contains(cart.TakenOrders, order.OrderID) {
			continue
		}
		var left []contract.SKUCount
		for _, line := range cart.Lines {
			if i := slices.IndexFunc(order.Lines, func(l contract.SKUCount) bool { return l.SKU == line.SKU }); i >= 0 {
				line.Quantity -= order.Lines[i].Quantity
			}
			if line.Quantity > 0 {
				left = append(left, line)
			}
		}
		cart.Lines, cart.Version, cart.TakenOrders = left, cart.Version+1, append(slices.Clone(cart.TakenOrders), order.OrderID)
		s.carts[ref] = cart
	}
	return http.StatusNoContent, nil, nil
}

func (s *street) postSKUs(r *http.Request) (int, any, error) {
	var query contract.SKUQuery
	if err := json.NewDecoder(r.Body).Decode(&query); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	items := []contract.PricedSKU{}
	for _, sku := range query.SKUs {
		if amount, ok := s.prices[sku]; ok {
			items = append(items, contract.PricedSKU{SKU: sku, Title: "The " + sku, Price: &contract.Money{Amount: amount, Currency: query.Currency}})
		}
	}
	return http.StatusOK, map[string]any{"items": items}, nil
}

func (s *street) reserve(r *http.Request) (int, any, error) {
	var request contract.ReservationRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.released[request.SagaID] {
		return 0, nil, contract.Errorf(contract.CodeConflict, "released")
	}
	if _, held := s.holds[request.SagaID]; !held {
		for _, line := range request.Lines {
			if s.stock[line.SKU] < line.Quantity {
				short := []map[string]any{{"sku": line.SKU, "requested": line.Quantity, "available": s.stock[line.SKU]}}
				return 0, nil, contract.Errorf(contract.CodeOutOfStock, "not enough").With("skus", short)
			}
		}
		for _, line := range request.Lines {
			s.stock[line.SKU] -= line.Quantity
		}
		s.holds[request.SagaID] = request
	}
	return http.StatusCreated, contract.Reservation{SagaID: request.SagaID, State: contract.ReservationHeld}, nil
}

func (s *street) release(r *http.Request) (int, any, error) {
	saga := r.PathValue("saga")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.holds[saga].Lines {
		s.stock[line.SKU] += line.Quantity
	}
	delete(s.holds, saga)
	s.released[saga] = true
	return http.StatusOK, contract.Reservation{SagaID: saga, State: contract.ReservationReleased}, nil
}

func (s *street) charge(r *http.Request) (int, any, error) {
	var request contract.ChargeRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return 0, nil, err
	}
	if request.Token == "tok_slow" {
		s.note(request.Token)
		select {
		case <-s.slow:
		case <-r.Context().Done():
			return 0, nil, contract.Errorf(contract.CodeUnavailable, "the caller has gone")
		}
	}
	s.mu.Lock()
	payment, known := s.payments[request.SagaID]
	switch {
	case known && payment.State == contract.PaymentStateVoided:
		s.mu.Unlock()
		return 0, nil, contract.Errorf(contract.CodeConflict, "voided")
	case request.Token == "tok_unknown":
		s.mu.Unlock()
		return 0, nil, contract.Invalid("payment.token", "is not known")
	case !known:
		payment = contract.Payment{ID: geo.NewID("pay", "use"), SagaID: request.SagaID, OrderID: request.OrderID, Amount: request.Amount, State: contract.PaymentStateCaptured}
		switch request.Token {
		case "tok_chargeDeclined":
			payment.State, payment.Reason = contract.PaymentStateDeclined, "card_declined"
		case "tok_wrongAmount":
			payment.Amount.Amount++
		}
		if payment.State == contract.PaymentStateCaptured {
			s.charges[request.SagaID]++
		}
		s.payments[request.SagaID] = payment
	}
	s.mu.Unlock()
	if request.Token == "tok_timeoutAfterCharge" {
		<-r.Context().Done()
	}
	return http.StatusCreated, payment, nil
}

func (s *street) note(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = true
}

// isAsked says whether a charge with a token waits, or has waited, for its answer.
func (s *street) isAsked(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[token]
}

// capture writes a payment as the provider's word has made it, whoever brought that.
func (s *street) capture(payment contract.Payment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.payments[payment.SagaID] = payment
	s.charges[payment.SagaID]++
}

func (s *street) payment(r *http.Request) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	payment, ok := s.payments[r.PathValue("saga")]
	if !ok {
		return 0, nil, contract.Errorf(contract.CodeNotFound, "no such payment")
	}
	return http.StatusOK, payment, nil
}

func (s *street) void(r *http.Request) (int, any, error) {
	saga := r.PathValue("saga")
	s.mu.Lock()
	defer s.mu.Unlock()
	payment, ok := s.payments[saga]
	if !ok {
		payment = contract.Payment{ID: geo.NewID("pay", "use"), SagaID: saga}
	}
	if payment.State == contract.PaymentStateCaptured {
		s.charges[saga]--
	}
	payment.State = contract.PaymentStateVoided
	s.payments[saga] = payment
	return http.StatusOK, payment, nil
}

// ledger tells what stands for a saga: units held, and captures that were not voided.
func (s *street) ledger(sagaID string) (held bool, charges int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, held = s.holds[sagaID]
	return held, s.charges[sagaID]
}

// standing counts all holds and captures that stand.
func (s *street) standing() (holds, charges int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, count := range s.charges {
		charges += count
	}
	return len(s.holds), charges
}
