package contract

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// MaxDocuments is how many products one request for documents names or gets.
const MaxDocuments = 1000

// ProductDocument is a published product as an index of products reads it from the catalog: with its prices in every currency and
// region, and under every category that it stands in. A product that is not given is deleted or not published.
type ProductDocument struct {
	ID          string            `json:"id"`
	Slug        string            `json:"slug"`
	Title       string            `json:"title"`
	Description string            `json:"description,omitempty" doc:"HTML, sanitised"`
	Brand       string            `json:"brand,omitempty"`
	Image       *Image            `json:"image,omitempty"`
	Categories  []string          `json:"categories" doc:"Slugs, as a list shows them"`
	Places      []CategoryPlace   `json:"places" doc:"Every category that the product is in, directly or through one below it"`
	Tags        []string          `json:"tags,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Options     []Option          `json:"options,omitempty"`
	SKUs        []string          `json:"skus"`
	Prices      []MarketPrice     `json:"prices,omitempty"`
	Stock       Band              `json:"stock" doc:"The best band of any variant"`
	CreatedAt   time.Time         `json:"created_at"`
	// Revision is different after any change of what stands above.
	Revision string `json:"revision"`
}

// CategoryPlace is a category that a product is found under.
type CategoryPlace struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// MarketPrice is the lowest price of a product's variants in a currency, for whoever asks for a region; "" is whoever asks for none.
// There is one for a region only where the region has price lists in the currency.
type MarketPrice struct {
	Region   string `json:"region,omitempty"`
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
}

// DocumentBucket sums up the products whose ids end in the same character, so that an index is compared with the catalog in parts.
type DocumentBucket struct {
	Bucket string `json:"bucket"`
	Count  int    `json:"count"`
	// Digest is the sum of a hash of each id and revision, in hexadecimal.
	Digest string `json:"digest"`
	// Revisions are the products' by their ids, where they were asked for.
	Revisions map[string]string `json:"revisions,omitempty"`
}

// DocumentBuckets are the characters that ids end in: Crockford's base 32.
const DocumentBuckets = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewDocumentBucket sums products up by their revisions.
func NewDocumentBucket(bucket string, revisions map[string]string) DocumentBucket {
	var sum uint64
	for id, revision := range revisions {
		sum += revisionDigest(id, revision)
	}
	return DocumentBucket{Bucket: bucket, Count: len(revisions), Digest: fmt.Sprintf("%016x", sum), Revisions: revisions}
}

func revisionDigest(id, revision string) uint64 {
	hash := sha256.Sum256([]byte(id + "=" + revision))
	return binary.BigEndian.Uint64(hash[:8])
}
