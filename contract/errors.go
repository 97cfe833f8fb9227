package contract

import (
	"errors"
	"fmt"
)

// Code classifies an error for whoever has to act on it. There are few on purpose: a caller in another service decides by
// code alone, and the one table in kit/httpx turns codes into HTTP statuses and problem types.
type Code string

// The codes, each with what the caller should do.
const (
	CodeInvalid      Code = "invalid"            // mend the named field
	CodeUnauthorized Code = "unauthorized"       // present a valid token
	CodeForbidden    Code = "forbidden"          // use another role
	CodeNotServed    Code = "not-served"         // nothing: the law forbids to serve the shopper's country
	CodeNotFound     Code = "not-found"          // nothing by that name, or not yours
	CodeConflict     Code = "conflict"           // read again, then decide
	CodeStale        Code = "precondition"       // If-Match named an older version
	CodeOutOfStock   Code = "out-of-stock"       // take fewer, or something else
	CodeQuoteChanged Code = "quote-changed"      // show the new quote and ask again
	CodeDeclined     Code = "payment-declined"   // ask for another means of payment
	CodeKeyMissing   Code = "idempotency-key"    // send Idempotency-Key
	CodeKeyReused    Code = "idempotency-reused" // the key was used for another request
	CodeInProgress   Code = "in-progress"        // the same request is still running; ask again shortly
	CodeTooMany      Code = "rate-limited"       // wait for Retry-After
	CodeUnavailable  Code = "unavailable"        // try again; something behind is missing
	CodeTooLarge     Code = "too-large"          // send less
	CodeInternal     Code = "internal"           // ours to mend; see the trace id
)

// Error is the only error whose words reach a shopper. Any other error is "internal": logged, never shown.
type Error struct {
	Code    Code
	Message string
	// Field names the part of the request at fault, as a dotted path such as "shipping_address.country"; may be empty.
	Field string
	// Details are extra members of the problem document, such as the SKUs that are out of stock or the new quote.
	Details map[string]any
	cause   error
}

// Error gives the message, prefixed by the field when there is one.
func (e *Error) Error() string {
	if e.Field != "" {
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// Unwrap gives the cause, which is logged but never shown.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an error of a code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes an error that names the field at fault.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Unavailable makes an error for a missing neighbour or engine and keeps its cause for the log.
func Unavailable(cause error, format string, args ...any) *Error {
	return &Error{Code: CodeUnavailable, Message: fmt.Sprintf(format, args...), cause: cause}
}

// With returns the error with one more member for its problem document.
func (e *Error) With(key string, value any) *Error {
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	e.Details[key] = value
	return e
}

// CodeOf finds the code of an error; CodeInternal when it carries none, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var typed *Error
	if errors.As(err, &typed) {
		return typed.Code
	}
	return CodeInternal
}
