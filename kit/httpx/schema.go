package httpx

import (
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
)

// SchemaError gives the first of what huma's validation found in a value, as Handle would refuse a whole body for it: for services
// that hold parts of a body to their schema one by one. The value's path must begin with "body". It is nil when there is nothing.
func SchemaError(found []error) error {
	if len(found) == 0 {
		return nil
	}
	refusal := &contract.Error{Code: contract.CodeInvalid, Message: "does not fit its schema"}
	var detailer huma.ErrorDetailer
	if errors.As(found[0], &detailer) {
		refusal.Field, refusal.Message = fieldAtFault(detailer.ErrorDetail())
	}
	return refusal
}
