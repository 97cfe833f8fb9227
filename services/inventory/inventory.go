// Package inventory knows what is on hand in every warehouse and promises each unit to one order only.
//
// The rules, for each SKU in each warehouse:
//
//   - on hand is the sum of its movements, and changes by nothing else: a count adjusts it, a sale takes from it;
//   - reserved is the sum of its live reservation lines, and 0 ≤ reserved ≤ on hand;
//   - what is available, on hand minus reserved, goes to whoever asks first.
//
// A reservation belongs to one saga. It is held, then either sold or released, and never leaves those two: a release is also a
// tombstone that refuses a late reserve. A hold that has expired is released only when the saga's charge is known not to stand.
package inventory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// Movements of stock.
const (
	movementReceived = "received"
	movementSold     = "sold"
	movementReturned = "returned"
	movementAdjusted = "adjusted"
)

const maxSKULength = 100

// reservation is a saga's hold with what never leaves the service.
type reservation struct {
	contract.Reservation
	// region is the saga's home, where the row is.
	region      string
	requestHash string
	version     int64
	// takings say which buckets the allocations are from.
	takings []taking
	// trace is that of the request that makes or changes it.
	trace string
}

// sagaRegion finds the home of a saga by its id.
func sagaRegion(sagaID string, regions []contract.Region) (string, error) {
	id, err := geo.ParseID(sagaID)
	if err != nil {
		return "", contract.Invalid("saga_id", "is %s", err)
	}
	for _, region := range regions {
		if region.Code == id.Region {
			return region.Name, nil
		}
	}
	return "", contract.Invalid("saga_id", "names the region %s, which does not exist", id.Region)
}

// validateSKU refuses what no shelf label could say.
func validateSKU(field, sku string) error {
	switch {
	case sku == "" || sku != strings.TrimSpace(sku):
		return contract.Invalid(field, "is empty or has spaces around it")
	case len(sku) > maxSKULength:
		return contract.Invalid(field, "is longer than %d bytes", maxSKULength)
	case !printable(sku):
		return contract.Invalid(field, "contains what cannot be printed")
	}
	return nil
}

// printable refuses bytes that SQL would not store and people could not type.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// sumLines validates the lines of a request and gives one line for each SKU, in the order of SKUs, so that two requests for the
// same things are equal.
func sumLines(lines []contract.SKUCount) ([]contract.SKUCount, error) {
	if len(lines) == 0 || len(lines) > contract.MaxCartLines {
		return nil, contract.Invalid("lines", "must be 1 to %d lines", contract.MaxCartLines)
	}
	total := make(map[string]int64, len(lines))
	for i, line := range lines {
		if err := validateSKU(fmt.Sprintf("lines[%d].sku", i), line.SKU); err != nil {
			return nil, err
		}
		if line.Quantity < 1 || line.Quantity > contract.MaxLineQuantity {
			return nil, contract.Invalid(fmt.Sprintf("lines[%d].quantity", i), "must be 1 to %d", contract.MaxLineQuantity)
		}
		total[line.SKU] += line.Quantity
	}
	summed := make([]contract.SKUCount, 0, len(total))
	for sku, quantity := range total {
		summed = append(summed, contract.SKUCount{SKU: sku, Quantity: quantity})
	}
	slices.SortFunc(summed, func(a, b contract.SKUCount) int { return cmp.Compare(a.SKU, b.SKU) })
	return summed, nil
}

// hashRequest names what a saga asked for: hex SHA-256 over the country and the summed lines. How long to hold is not part of it.
func hashRequest(country string, summed []contract.SKUCount) (string, error) {
	canonical, err := json.Marshal(struct {
		Country string
		Lines   []contract.SKUCount
	}{country, summed})
	if err != nil {
		return "", fmt.Errorf("encode a reservation's lines: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

// repeated judges a request for a saga that has a row already: the same request gets the same answer while it is not released.
func (r reservation) repeated(requestHash string) (reservation, error) {
	switch {
	case r.State == contract.ReservationReleased:
		return reservation{}, contract.Errorf(contract.CodeConflict, "the reservation of %s was released", r.SagaID)
	case r.requestHash != requestHash:
		return reservation{}, contract.Errorf(contract.CodeConflict, "%s has reserved other lines already", r.SagaID)
	}
	return r, nil
}
