package gateway

import (
	"bytes"
	_ "embed" // for the shipped table
	"fmt"

	"github.com/goccy/go-yaml"
)

//go:embed routes.yaml
var shippedTable []byte

// ShippedTable reads the route table that this binary was built with.
func ShippedTable() (Table, error) { return ReadTable(shippedTable) }

// ReadTable reads a route table in YAML, refuses unknown keys, and validates it.
func ReadTable(data []byte) (Table, error) {
	var table Table
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&table); err != nil {
		return Table{}, fmt.Errorf("read the route table: %w", err)
	}
	for i := range table.Routes {
		route := &table.Routes[i]
		if route.Timeout == 0 {
			route.Timeout = DefaultTimeout
		}
		if route.BodyLimit == 0 {
			route.BodyLimit = DefaultBodyLimit
		}
	}
	if err := table.Validate(); err != nil {
		return Table{}, fmt.Errorf("check the route table: %w", err)
	}
	if _, err := newMatcher(table); err != nil {
		return Table{}, fmt.Errorf("check the route table: %w", err)
	}
	return table, nil
}
