package catalog

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/meridian-store/meridian/contract"
)

// fingerprint tells two canonical products apart: JSON writes members in order and maps by key.
func fingerprint(normal contract.ProductInput) ([]byte, error) {
	text, err := json.Marshal(normal)
	if err != nil {
		return nil, fmt.Errorf("fingerprint %s: %w", normal.Slug, err)
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}
