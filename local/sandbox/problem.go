package sandbox

import (
	"fmt"
	"net/http"
)

// problem is Stripe's error object.
type problem struct {
	Type          string  `json:"type"`
	Code          string  `json:"code,omitempty"`
	DeclineCode   string  `json:"decline_code,omitempty"`
	Message       string  `json:"message"`
	Param         string  `json:"param,omitempty"`
	PaymentIntent *intent `json:"payment_intent,omitempty"`

	status int
}

// Types of problems.
const (
	typeInvalid     = "invalid_request_error"
	typeCard        = "card_error"
	typeIdempotency = "idempotency_error"
	typeAPI         = "api_error"
)

func invalid(code, param, format string, args ...any) *problem {
	return &problem{Type: typeInvalid, Code: code, Param: param, Message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

func missing(what, param, id string) *problem {
	p := invalid("resource_missing", param, "No such %s: '%s'", what, id)
	p.status = http.StatusNotFound
	return p
}

// unexpected is the answer to what an intent's state forbids. It shows the intent.
func unexpected(verb string, of intent) *problem {
	p := invalid("payment_intent_unexpected_state", "", "You cannot %s this PaymentIntent because it has a status of %s.", verb, of.Status)
	p.PaymentIntent = &of
	return p
}

// locked is the answer about an object that another request is working on.
func locked() *problem {
	return &problem{Type: typeInvalid, Code: "lock_timeout", Message: "This object cannot be accessed right now because another API request is currently accessing it.", status: http.StatusTooManyRequests}
}

func keyReused() *problem {
	return &problem{Type: typeIdempotency, Message: "Keys for idempotent requests can only be used with the same endpoint and parameters they were first used with.", status: http.StatusBadRequest}
}

func keyInUse() *problem {
	return &problem{Type: typeIdempotency, Code: "idempotency_key_in_use", Message: "There is currently another in-progress request using this idempotency key.", status: http.StatusConflict}
}

func declined(of intent) *problem {
	return &problem{Type: typeCard, Code: CodeDeclined, DeclineCode: "generic_decline", Message: "Your card was declined.", PaymentIntent: &of, status: http.StatusPaymentRequired}
}
