package catalog

import (
	"encoding/base64"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// productKind leads the ids of products.
const productKind = "prd"

// encodeCursor names the last product of a page, opaquely, so that how lists are ordered stays ours to change.
func encodeCursor(lastID string) string { return base64.RawURLEncoding.EncodeToString([]byte(lastID)) }

// decodeCursor gives the product that a page continues behind; "" for the first page.
func decodeCursor(cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || !isProductID(string(text)) {
		return "", contract.Invalid("cursor", "is not one that a list of products gave")
	}
	return string(text), nil
}

func isProductID(text string) bool {
	id, err := geo.ParseID(text)
	return err == nil && id.Kind == productKind
}
