package sandbox

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

var currencyCode = regexp.MustCompile(`^[a-zA-Z]{3}$`)

const (
	paramTokenType = "payment_method_data[type]"
	paramToken     = "payment_method_data[card][token]"
	metadataLimit  = 500
)

func (s *Server) createIntent(call request) (operation, *problem) {
	amount, refused := positive(call, "amount")
	if refused != nil {
		return operation{}, refused
	}
	currency := call.form.Get("currency")
	if !currencyCode.MatchString(currency) {
		return operation{}, invalid("", "currency", "Invalid currency: %s", currency)
	}
	method := call.form.Get("capture_method")
	if method == "" {
		method = captureAtOnce
	}
	if method != captureAtOnce && method != captureByHand {
		return operation{}, invalid("", "capture_method", "Invalid capture_method: must be one of automatic or manual")
	}
	metadata, refused := metadataOf(call)
	if refused != nil {
		return operation{}, refused
	}
	now := s.config.Now()
	made := intent{
		ID: newID("pi", now), Object: "payment_intent", Amount: amount, Currency: strings.ToLower(currency), CaptureMethod: method,
		ConfirmationMethod: captureAtOnce, Created: now.Unix(), Metadata: metadata, PaymentMethodTypes: []string{"card"}, Status: statusOpen,
	}
	return operation{run: func(books books) (outcome, error) {
		return outcome{object: made}, books.put(bucketIntents, made.ID, booked{Intent: made})
	}}, nil
}

func (s *Server) confirmIntent(call request) (operation, *problem) {
	token := call.form.Get(paramToken)
	for _, param := range []string{"payment_method", "confirmation_token"} {
		if id := call.form.Get(param); id != "" {
			return operation{}, invalid("resource_missing", param, "No such %s: '%s'", param, id)
		}
	}
	switch {
	case call.form.Get(paramTokenType) != "card":
		return operation{}, invalid("parameter_missing", paramTokenType, "The sandbox confirms with payment_method_data of the type card.")
	case !known(token):
		return operation{}, invalid("resource_missing", paramToken, "No such token: '%s'", token)
	}
	work := operation{locks: call.id, run: func(books books) (outcome, error) {
		return s.onIntent(books, call, func(found *booked) (outcome, string) { return s.confirm(found, token) })
	}}
	if token == TokenSlow {
		work.delay = SlowConfirm
	}
	return work, nil
}

// confirm plays the token.
func (s *Server) confirm(found *booked, token string) (outcome, string) {
	of := &found.Intent
	if of.Status != statusOpen {
		return outcome{problem: unexpected("confirm", *of)}, ""
	}
	if token == TokenDeclined {
		of.LastPaymentError = declined(intent{})
		of.LastPaymentError.PaymentIntent = nil
		return outcome{problem: declined(*of)}, "payment_intent.payment_failed"
	}
	now := s.config.Now()
	method, charge := newID("pm", now), newID("ch", now)
	of.PaymentMethod, of.LatestCharge, of.LastPaymentError = &method, &charge, nil
	silent := token == TokenTimeoutAfterCharge
	if of.CaptureMethod == captureByHand {
		of.Status, of.AmountCapturable = statusAuthorised, of.Amount
		return outcome{object: *of, silent: silent}, "payment_intent.amount_capturable_updated"
	}
	of.Status, of.AmountReceived = statusSucceeded, of.Amount
	return outcome{object: *of, silent: silent}, "payment_intent.succeeded"
}

func (s *Server) captureIntent(call request) (operation, *problem) {
	var amount int64
	if call.form.Has("amount_to_capture") {
		var refused *problem
		if amount, refused = positive(call, "amount_to_capture"); refused != nil {
			return operation{}, refused
		}
	}
	return operation{locks: call.id, run: func(books books) (outcome, error) {
		return s.onIntent(books, call, func(found *booked) (outcome, string) {
			of := &found.Intent
			switch {
			case of.Status != statusAuthorised:
				return outcome{problem: unexpected("capture", *of)}, ""
			case amount > of.AmountCapturable:
				return outcome{problem: invalid("amount_too_large", "amount_to_capture", "The amount to capture is greater than the amount capturable.")}, ""
			}
			of.AmountReceived = of.AmountCapturable
			if amount > 0 {
				of.AmountReceived = amount
			}
			of.Status, of.AmountCapturable = statusSucceeded, 0
			return outcome{object: *of}, "payment_intent.succeeded"
		})
	}}, nil
}

func (s *Server) cancelIntent(call request) (operation, *problem) {
	now := s.config.Now().Unix()
	return operation{locks: call.id, run: func(books books) (outcome, error) {
		return s.onIntent(books, call, func(found *booked) (outcome, string) {
			of := &found.Intent
			if of.Status == statusSucceeded || of.Status == statusCanceled {
				return outcome{problem: unexpected("cancel", *of)}, ""
			}
			of.Status, of.AmountCapturable, of.CanceledAt = statusCanceled, 0, &now
			if reason := call.form.Get("cancellation_reason"); reason != "" {
				of.CancellationReason = &reason
			}
			return outcome{object: *of}, "payment_intent.canceled"
		})
	}}, nil
}

// onIntent changes one intent; happened is the type of the event that tells of it, "" when nothing changed.
func (s *Server) onIntent(books books, call request, change func(*booked) (done outcome, happened string)) (outcome, error) {
	var found booked
	exists, err := books.get(bucketIntents, call.id, &found)
	if err != nil {
		return outcome{}, err
	}
	if !exists {
		return outcome{problem: missing("payment_intent", "intent", call.id)}, nil
	}
	done, happened := change(&found)
	if happened == "" {
		return done, nil
	}
	if err := books.put(bucketIntents, call.id, found); err != nil {
		return outcome{}, err
	}
	return done, s.record(books, call, happened, found.Intent)
}

func (s *Server) getIntent(call request) (done outcome, err error) {
	err = s.ledger.read(func(books books) error {
		var found booked
		exists, err := books.get(bucketIntents, call.id, &found)
		done = outcome{object: found.Intent}
		if !exists {
			done = outcome{problem: missing("payment_intent", "intent", call.id)}
		}
		return err
	})
	return done, err
}

func (s *Server) listIntents(call request) (outcome, error) {
	return s.list(call, bucketIntents, "/v1/payment_intents", func(data []byte) (any, int64, error) {
		var found booked
		err := json.Unmarshal(data, &found)
		return found.Intent, found.Intent.Created, err
	})
}

func positive(call request, param string) (int64, *problem) {
	text := call.form.Get(param)
	if text == "" {
		return 0, invalid("parameter_missing", param, "Missing required param: %s.", param)
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < 1 {
		return 0, invalid("parameter_invalid_integer", param, "Invalid positive integer")
	}
	return value, nil
}

func metadataOf(call request) (map[string]string, *problem) {
	metadata := map[string]string{}
	for name, values := range call.form {
		key, inside := strings.CutPrefix(name, "metadata[")
		if !inside {
			continue
		}
		if len(key) > metadataLimit || len(values[0]) > metadataLimit || len(metadata) == 50 {
			return nil, invalid("", name, "Metadata has at most 50 keys and values of %d characters.", metadataLimit)
		}
		metadata[strings.TrimSuffix(key, "]")] = values[0]
	}
	return metadata, nil
}
