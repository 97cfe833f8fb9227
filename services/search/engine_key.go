package search

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"

	"github.com/typesense/typesense-go/v3/typesense/api"
)

// searchKey is the key that searches are made with. It follows from the administrator's, so that nobody has to keep it, and that every
// instance has the same.
func searchKey(adminKey, alias string) string {
	mac := hmac.New(sha256.New, []byte(adminKey))
	mac.Write([]byte("search only " + alias)) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// tellSearchKey makes the key for searching, and nothing else, in this index. That it is there already is fine.
func (e *engine) tellSearchKey(ctx context.Context) error {
	_, err := e.client.Keys().Create(ctx, &api.ApiKeySchema{
		Description: "Searches of " + e.alias, Value: new(e.searchKey()), Actions: []string{"documents:search"}, Collections: []string{regexp.QuoteMeta(e.alias) + "(-[0-9-]+)?"},
	})
	if err != nil && !isStatus(err, http.StatusConflict) {
		return fmt.Errorf("make the key for searching: %w", err)
	}
	return nil
}
