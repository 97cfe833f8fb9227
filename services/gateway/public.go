package gateway

import (
	"fmt"

	"github.com/meridian-store/meridian/services/gateway/openapi"
)

// Public returns the test of the shipped route table: whether it leads an operation of a service's document to that
// service.
func Public() (openapi.Public, error) {
	table, err := ShippedTable()
	if err != nil {
		return nil, err
	}
	matcher, err := newMatcher(table)
	if err != nil {
		return nil, fmt.Errorf("build the route table: %w", err)
	}
	return (&documents{matcher: matcher}).public, nil
}
