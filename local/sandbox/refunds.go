package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
)

func (s *Server) createRefund(call request) (operation, *problem) {
	id := call.form.Get("payment_intent")
	if id == "" {
		return operation{}, invalid("parameter_missing", "payment_intent", "The sandbox refunds by payment_intent.")
	}
	var amount int64
	if call.form.Has("amount") {
		var refused *problem
		if amount, refused = positive(call, "amount"); refused != nil {
			return operation{}, refused
		}
	}
	metadata, refused := metadataOf(call)
	if refused != nil {
		return operation{}, refused
	}
	now := s.config.Now()
	made := refund{ID: newID("re", now), Object: "refund", Amount: amount, Created: now.Unix(), Metadata: metadata, PaymentIntent: id, Status: statusSucceeded}
	return operation{locks: id, run: func(books books) (outcome, error) { return s.giveBack(books, call, made) }}, nil
}

func (s *Server) giveBack(books books, call request, made refund) (outcome, error) {
	var of booked
	exists, err := books.get(bucketIntents, made.PaymentIntent, &of)
	if err != nil {
		return outcome{}, err
	}
	left := of.Intent.AmountReceived - of.Refunded
	if made.Amount == 0 {
		made.Amount = left
	}
	switch {
	case !exists:
		return outcome{problem: missing("payment_intent", "payment_intent", made.PaymentIntent)}, nil
	case of.Intent.Status != statusSucceeded:
		return outcome{problem: invalid("", "payment_intent", "This PaymentIntent (%s) does not have a successful charge to refund.", made.PaymentIntent)}, nil
	case left == 0:
		return outcome{problem: invalid("charge_already_refunded", "", "Charge %s has already been refunded.", *of.Intent.LatestCharge)}, nil
	case made.Amount > left:
		return outcome{problem: invalid("", "amount", "Refund amount (%d) is greater than unrefunded amount on charge (%d)", made.Amount, left)}, nil
	}
	of.Refunded += made.Amount
	made.Currency, made.Charge = of.Intent.Currency, of.Intent.LatestCharge
	if err := books.put(bucketIntents, of.Intent.ID, of); err != nil {
		return outcome{}, err
	}
	if err := books.put(bucketRefunds, made.ID, made); err != nil {
		return outcome{}, err
	}
	return outcome{object: made}, s.record(books, call, "refund.created", made)
}

func (s *Server) getRefund(call request) (done outcome, err error) {
	err = s.ledger.read(func(books books) error {
		var found refund
		exists, err := books.get(bucketRefunds, call.id, &found)
		done = outcome{object: found}
		if !exists {
			done = outcome{problem: missing("refund", "id", call.id)}
		}
		return err
	})
	return done, err
}

func (s *Server) listRefunds(call request) (outcome, error) {
	of := call.form.Get("payment_intent")
	return s.list(call, bucketRefunds, "/v1/refunds", func(data []byte) (any, int64, error) {
		var found refund
		if err := json.Unmarshal(data, &found); err != nil || (of != "" && found.PaymentIntent != of) {
			return nil, found.Created, err
		}
		return found, found.Created, nil
	})
}

const (
	defaultPage = 10
	largestPage = 100
)

// list gives a page, newest first. decode gives an object and when it was made; nil for one that was not asked for.
func (s *Server) list(call request, bucket []byte, url string, decode func([]byte) (any, int64, error)) (outcome, error) {
	limit, since := defaultPage, int64(0)
	for param, into := range map[string]func(int64) bool{
		"limit":        func(n int64) bool { limit = int(n); return n >= 1 && n <= largestPage },
		"created[gte]": func(n int64) bool { since = n; return true },
	} {
		if text := call.form.Get(param); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || !into(n) {
				return outcome{problem: invalid("parameter_invalid_integer", param, "Invalid integer: %s", text)}, nil //nolint:nilerr // it is the caller's, who is told
			}
		}
	}
	for param := range call.form {
		if len(param) > len("created") && param[:len("created")] == "created" && param != "created[gte]" {
			return outcome{problem: &problem{Type: typeInvalid, Param: param, Message: "The sandbox lists by created[gte] alone.", status: http.StatusBadRequest}}, nil
		}
	}
	found := page{Object: "list", URL: url, Data: []any{}}
	err := s.ledger.read(func(books books) error {
		return books.newestFirst(bucket, call.form.Get("starting_after"), func(data []byte) (bool, error) {
			object, created, err := decode(data)
			switch {
			case err != nil || created < since:
				return false, err
			case object == nil:
				return true, nil
			case len(found.Data) == limit:
				found.HasMore = true
				return false, nil
			}
			found.Data = append(found.Data, object)
			return true, nil
		})
	})
	return outcome{object: found}, err
}
