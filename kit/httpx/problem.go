// Package httpx is HTTP as every service speaks it: one table from error codes to problem documents, one set of middleware, one
// way to declare an operation, one client between services.
package httpx

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/telemetry"
)

// ProblemContentType is RFC 9457's.
const ProblemContentType = "application/problem+json"

const problemBase = "https://meridian.store/problems/"

// comeAgain is how many seconds whoever met a missing neighbour, or a request that still runs, is asked to wait, unless more is known.
const comeAgain = 1

// statuses is the one table from error codes to HTTP.
var statuses = map[contract.Code]struct {
	status int
	title  string
}{
	contract.CodeInvalid:      {http.StatusBadRequest, "The request is not valid"},
	contract.CodeKeyMissing:   {http.StatusBadRequest, "Idempotency-Key is missing"},
	contract.CodeUnauthorized: {http.StatusUnauthorized, "A valid bearer token is needed"},
	contract.CodeDeclined:     {http.StatusPaymentRequired, "The payment was declined"},
	contract.CodeForbidden:    {http.StatusForbidden, "Not allowed for this role"},
	contract.CodeNotFound:     {http.StatusNotFound, "Not found"},
	contract.CodeConflict:     {http.StatusConflict, "Conflict"},
	contract.CodeOutOfStock:   {http.StatusConflict, "Out of stock"},
	contract.CodeQuoteChanged: {http.StatusConflict, "The quote has changed"},
	contract.CodeInProgress:   {http.StatusConflict, "The same request is still running"},
	contract.CodeStale:        {http.StatusPreconditionFailed, "Changed since it was read"},
	contract.CodeTooLarge:     {http.StatusRequestEntityTooLarge, "The request is too large"},
	contract.CodeKeyReused:    {http.StatusUnprocessableEntity, "Idempotency-Key was used for another request"},
	contract.CodeTooMany:      {http.StatusTooManyRequests, "Too many requests"},
	contract.CodeNotServed:    {http.StatusUnavailableForLegalReasons, "Not served in this country"},
	contract.CodeInternal:     {http.StatusInternalServerError, "Something went wrong here"},
	contract.CodeUnavailable:  {http.StatusServiceUnavailable, "Temporarily unavailable"},
}

// Statuses returns the HTTP status of each problem type.
func Statuses() map[string]int {
	byType := make(map[string]int, len(statuses))
	for code, entry := range statuses {
		byType[problemBase+string(code)] = entry.status
	}
	return byType
}

// Problem is an RFC 9457 problem document. Its extra members stand beside the standard ones.
type Problem struct {
	Type    string `json:"type" doc:"Stable name of the kind of problem"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail,omitempty"`
	Field   string `json:"field,omitempty" doc:"The part of the request at fault, such as shipping_address.country"`
	TraceID string `json:"trace_id,omitempty" doc:"Names this request in our logs"`
	extra   map[string]any
}

// NewProblem makes the document for an error. Only the words of a contract.Error are shown.
func NewProblem(ctx context.Context, err error) *Problem {
	code := contract.CodeOf(err)
	entry, known := statuses[code]
	if !known {
		code, entry = contract.CodeInternal, statuses[contract.CodeInternal]
	}
	problem := &Problem{Type: problemBase + string(code), Title: entry.title, Status: entry.status, TraceID: telemetry.TraceID(ctx)}
	var typed *contract.Error
	if code != contract.CodeInternal && errors.As(err, &typed) {
		problem.Detail, problem.Field, problem.extra = typed.Message, typed.Field, typed.Details
	}
	return problem
}

// Code gives back the code that the document was made from.
func (p *Problem) Code() contract.Code {
	if len(p.Type) > len(problemBase) {
		return contract.Code(p.Type[len(problemBase):])
	}
	return contract.CodeInternal
}

// Error makes the document an error, which huma writes as it is.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus gives the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders gives Retry-After for what passes: the member retry_after, in seconds, or else comeAgain. huma sends it.
func (p *Problem) GetHeaders() http.Header {
	var wait int64
	switch known := p.extra["retry_after"].(type) {
	case int64:
		wait = known
	case float64: // of a document that another service wrote
		wait = int64(known)
	default:
		if code := p.Code(); code != contract.CodeUnavailable && code != contract.CodeInProgress {
			return nil
		}
		wait = comeAgain
	}
	return http.Header{"Retry-After": {strconv.FormatInt(wait, 10)}}
}

// ContentType replaces plain JSON's.
func (p *Problem) ContentType(string) string { return ProblemContentType }

// MarshalJSON writes the extra members beside the standard ones.
func (p *Problem) MarshalJSON() ([]byte, error) {
	members := make(map[string]any, len(p.extra)+6)
	for key, value := range p.extra {
		members[key] = value
	}
	members["type"], members["title"], members["status"] = p.Type, p.Title, p.Status
	for key, value := range map[string]string{"detail": p.Detail, "field": p.Field, "trace_id": p.TraceID} {
		if value != "" {
			members[key] = value
		}
	}
	return json.Marshal(members)
}

// UnmarshalJSON reads a document with its extra members.
func (p *Problem) UnmarshalJSON(data []byte) error {
	type plain Problem
	if err := json.Unmarshal(data, (*plain)(p)); err != nil {
		return err
	}
	if err := json.Unmarshal(data, &p.extra); err != nil {
		return err
	}
	for _, standard := range []string{"type", "title", "status", "detail", "field", "trace_id"} {
		delete(p.extra, standard)
	}
	return nil
}

// AsError turns a document that another service sent back into the error it was made from.
func (p *Problem) AsError() error {
	return &contract.Error{Code: p.Code(), Message: p.Detail, Field: p.Field, Details: p.extra}
}

// fromHuma makes the document for what huma itself refuses: a body that does not fit its schema, a wrong method, too much.
func fromHuma(ctx context.Context, status int, message string, errs []error) huma.StatusError {
	code := contract.CodeInvalid
	switch {
	case status == http.StatusRequestEntityTooLarge:
		code = contract.CodeTooLarge
	case status == http.StatusNotFound:
		code = contract.CodeNotFound
	case status >= http.StatusInternalServerError:
		code = contract.CodeInternal
	}
	problem := &contract.Error{Code: code, Message: message}
	for _, err := range errs {
		var detailer huma.ErrorDetailer
		if errors.As(err, &detailer) {
			problem.Field, problem.Message = fieldAtFault(detailer.ErrorDetail())
			break
		}
	}
	return NewProblem(ctx, problem)
}
