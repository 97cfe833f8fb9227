package control

import (
	"errors"
	"fmt"
	"net/http"
)

// refusal is an answer that says no, in Cloudflare's words where they are known.
type refusal struct {
	status, code int
	reason       string
	retryAfter   int // seconds
}

func (r *refusal) Error() string { return r.reason }

func asRefusal(err error) *refusal {
	var known *refusal
	if errors.As(err, &known) {
		return known
	}
	return &refusal{status: http.StatusInternalServerError, code: 10500, reason: "internal error"}
}

func noRoute(path string) error {
	return &refusal{status: http.StatusNotFound, code: 7003, reason: fmt.Sprintf("Could not route to %s, perhaps your object identifier is invalid?", path)}
}

func invalid(code int, format string, args ...any) error {
	return &refusal{status: http.StatusBadRequest, code: code, reason: fmt.Sprintf(format, args...)}
}
