package inventory

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// ledgerPlace is a movement's place in its SKU's ledger, newest first; the ledger goes on behind it.
type ledgerPlace struct {
	At        time.Time `json:"t"`
	Region    string    `json:"r"`
	Warehouse string    `json:"w"`
	Kind      string    `json:"k"`
	Reference string    `json:"f"`
}

func (p ledgerPlace) cursor() (string, error) {
	text, err := json.Marshal(p)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// ledgerAfter reads a cursor; an empty one begins with the newest movement, whatever clock wrote it.
func ledgerAfter(cursor string) (ledgerPlace, error) {
	if cursor == "" {
		return ledgerPlace{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
	}
	var p ledgerPlace
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	// PostgreSQL knows no year beyond 294276 and no text with a zero byte.
	if err != nil || p.At.Year() < 1 || p.At.Year() > 9999 || !printable(p.Region+p.Warehouse+p.Kind+p.Reference) {
		return ledgerPlace{}, contract.Invalid("cursor", "is not one that a ledger gave")
	}
	return p, nil
}

type ledgerInput struct {
	SKU    string `path:"sku" maxLength:"300"`
	Cursor string `query:"cursor" maxLength:"1000" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type ledgerOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Items      []contract.StockMovement `json:"items" doc:"Newest first"`
		NextCursor string                   `json:"next_cursor,omitempty" doc:"Where the next page begins; absent on the last"`
	}
}

func (s *Service) getMovements(ctx context.Context, input *ledgerInput) (*ledgerOutput, error) {
	sku, err := decodeSKU(input.SKU)
	if err != nil {
		return nil, err
	}
	after, err := ledgerAfter(input.Cursor)
	if err != nil {
		return nil, err
	}
	movements, err := s.store.ledger(ctx, sku, after, input.Limit+1)
	if err != nil {
		return nil, err
	}
	output := &ledgerOutput{CacheControl: "private, no-store"}
	output.Body.Items = movements
	if len(movements) > input.Limit {
		last := movements[input.Limit-1]
		output.Body.Items = movements[:input.Limit]
		output.Body.NextCursor, err = ledgerPlace{last.At, last.Region, last.Warehouse, last.Kind, last.Reference}.cursor()
	}
	return output, err
}

type bucketsInput struct {
	SKU  string `path:"sku" maxLength:"300"`
	Body struct {
		Buckets int64 `json:"buckets" minimum:"1" maximum:"16" doc:"The rows to spread what is available over, in each warehouse; 1 joins them"`
	}
}

// putBuckets splits or joins a SKU's rows, such as before a sale that everybody waits for.
func (s *Service) putBuckets(ctx context.Context, input *bucketsInput) (*stockOutput, error) {
	sku, err := decodeSKU(input.SKU)
	if err != nil {
		return nil, err
	}
	if err := s.store.rebucket(ctx, sku, input.Body.Buckets, 0); err != nil {
		return nil, err
	}
	return s.getStock(ctx, &stockInput{SKU: input.SKU})
}
