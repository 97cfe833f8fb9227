package httpx

import (
	"errors"
	"strings"
)

// ErrorChain writes an error with the causes that its own message leaves out, for the log.
func ErrorChain(err error) string {
	text := err.Error()
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		if next := cause.Error(); !strings.Contains(text, next) {
			text += ": " + next
		}
	}
	return text
}
