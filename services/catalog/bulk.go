package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// writeMany adds or replaces products by slug: 5 round trips and 1 commit whatever their number. A product that is refused is
// told so by itself; the others are written. The results are in the order of the items.
func (s *Service) writeMany(ctx context.Context, items []unread[contract.ProductInput]) ([]contract.BulkResult, error) {
	results := make([]contract.BulkResult, len(items))
	var wishes []wish
	var places []int
	for i, item := range items {
		input, err := s.products.read(item.RawMessage)
		var w wish
		if err == nil {
			w, err = newWish(input, "")
		}
		if err != nil {
			results[i] = refusal(slugOf(item.RawMessage), err)
			continue
		}
		wishes, places = append(wishes, w), append(places, i)
	}
	var verdicts []verdict
	if len(wishes) > 0 {
		err := s.store.inTx(ctx, func(tx pgx.Tx) error {
			state, err := load(ctx, tx, wishes)
			if err != nil {
				return err
			}
			verdicts = plan(state, wishes, s.newID(productKind))
			return s.commitTo(ctx, tx, verdicts, s.moment())
		})
		if err != nil {
			return nil, err
		}
	}
	for i, v := range verdicts {
		if slug := wishes[i].input.Slug; v.refused != nil {
			results[places[i]] = refusal(slug, v.refused)
		} else {
			results[places[i]] = contract.BulkResult{Slug: slug, Outcome: v.outcome()}
		}
	}
	if slices.ContainsFunc(verdicts, func(v verdict) bool { return v.change != nil }) {
		s.writer.Wake()
	}
	s.count("product", results)
	return results, nil
}

func (s *Service) count(kind string, results []contract.BulkResult) {
	for _, result := range results {
		s.written.WithLabelValues(kind, result.Outcome).Inc()
	}
}

// slugOf finds the name of an item that could not be read, "" when not even that is there.
func slugOf(item json.RawMessage) string {
	var named struct {
		Slug string `json:"slug"`
	}
	if err := json.Unmarshal(item, &named); err != nil {
		return ""
	}
	return named.Slug
}

// refusal tells why one item of a bulk was not written.
func refusal(slug string, err error) contract.BulkResult {
	result := contract.BulkResult{Slug: slug, Outcome: outcomeRefused, Reason: err.Error()}
	var typed *contract.Error
	if errors.As(err, &typed) {
		result.Reason, result.Field = typed.Message, typed.Field
	}
	return result
}
