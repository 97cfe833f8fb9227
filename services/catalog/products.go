package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/replication/outbox"
)

// newWish brings what was written of a product to its canonical form. id is "" when its slug says which product it is.
func newWish(input contract.ProductInput, id string) (wish, error) {
	normal, err := Normalize(input)
	if err != nil {
		return wish{}, err
	}
	hash, err := fingerprint(normal)
	return wish{input: normal, hash: hash, id: id}, err
}

// create adds a product; one that has its slug already is a conflict.
func (s *Service) create(ctx context.Context, input contract.ProductInput) (Record, error) {
	w, err := newWish(input, "")
	if err != nil {
		return Record{}, err
	}
	return s.writeOne(ctx, w, func(state *snapshot) error {
		if state.bySlug[w.input.Slug] != nil {
			taken := contract.Errorf(contract.CodeConflict, "another product has the slug %q", w.input.Slug)
			taken.Field = "slug"
			return taken
		}
		return nil
	})
}

// replace writes a product anew as a whole, if ifMatch (empty for any) names what is stored.
func (s *Service) replace(ctx context.Context, idOrSlug, ifMatch string, input contract.ProductInput) (Record, error) {
	current, err := s.store.record(ctx, idOrSlug)
	if err != nil {
		return Record{}, err
	}
	w, err := newWish(input, current.ID)
	if err != nil {
		return Record{}, err
	}
	return s.writeOne(ctx, w, func(state *snapshot) error { return state.match(current.ID, ifMatch) })
}

// patch applies a JSON merge patch to what is stored, if ifMatch (empty for any) names it. When the product changes between the
// reading and the writing, both are done again.
func (s *Service) patch(ctx context.Context, idOrSlug, ifMatch string, patch []byte) (Record, error) {
	for attempt := 1; ; attempt++ {
		current, err := s.store.record(ctx, idOrSlug)
		if err != nil {
			return Record{}, err
		}
		w, err := s.patched(current, patch)
		if err != nil {
			return Record{}, err
		}
		moved := false
		patched, err := s.writeOne(ctx, w, func(state *snapshot) error {
			if err := state.match(current.ID, ifMatch); err != nil {
				return err
			}
			if moved = state.byID[current.ID].version != current.Version; moved {
				return contract.Errorf(contract.CodeConflict, "others are changing this product; try again")
			}
			return nil
		})
		if !moved || attempt == raceRetries {
			return patched, err
		}
	}
}

func (s *Service) patched(current Record, patch []byte) (wish, error) {
	document, err := json.Marshal(current.ProductInput)
	if err != nil {
		return wish{}, fmt.Errorf("encode a product: %w", err)
	}
	merged, err := MergePatch(document, patch)
	if err != nil {
		return wish{}, err
	}
	input, err := s.products.read(merged)
	if err != nil {
		return wish{}, err
	}
	return newWish(input, current.ID)
}

// match holds a write to the product that the writer has seen.
func (s *snapshot) match(id, ifMatch string) error {
	current := s.byID[id]
	if current == nil {
		return noProduct()
	}
	return checkMatch(ifMatch, recordTag(current.id, current.version))
}

func checkMatch(ifMatch, tag string) error {
	if ifMatch != "" && !httpx.Matches(ifMatch, tag) {
		return contract.Errorf(contract.CodeStale, "it has changed since; the newest is %s", strings.Trim(tag, `"`)).With("etag", tag)
	}
	return nil
}

// recordTag is the entity tag of what admins read of a product or a category.
func recordTag(id string, version int64) string { return httpx.ETag(id, version) }

// writeOne writes one product if allowed says so: 5 round trips, 1 commit.
func (s *Service) writeOne(ctx context.Context, w wish, allowed func(*snapshot) error) (Record, error) {
	var result verdict
	now := s.moment()
	err := s.store.inTx(ctx, func(tx pgx.Tx) error {
		state, err := load(ctx, tx, []wish{w})
		if err != nil {
			return err
		}
		if err := allowed(state); err != nil {
			return err
		}
		result = plan(state, []wish{w}, s.newID(productKind))[0]
		if result.refused != nil {
			return result.refused
		}
		return s.commitTo(ctx, tx, []verdict{result}, now)
	})
	if err != nil {
		if result.refused != nil {
			s.written.WithLabelValues("product", outcomeRefused).Inc()
		}
		return Record{}, err
	}
	s.writer.Wake()
	s.written.WithLabelValues("product", result.outcome()).Inc()
	if result.unchanged != nil {
		was := result.unchanged
		return Record{ID: was.id, Version: was.version, CreatedAt: was.createdAt.UTC(), UpdatedAt: was.updatedAt.UTC(), ProductInput: w.input}, nil
	}
	made := result.change
	written := Record{ID: made.id, Version: made.version, CreatedAt: now, UpdatedAt: now, ProductInput: w.input}
	if made.before != nil {
		written.CreatedAt = made.before.createdAt.UTC()
	}
	return written, nil
}

// commitTo writes what is granted and its events.
func (s *Service) commitTo(ctx context.Context, tx pgx.Tx, verdicts []verdict, now time.Time) error {
	var changes []*change
	var drafts []outbox.Draft
	for _, v := range verdicts {
		if v.change != nil {
			changes, drafts = append(changes, v.change), append(drafts, productWritten(v.change))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := apply(ctx, tx, changes, now); err != nil {
		return err
	}
	return s.writer.Append(ctx, tx, drafts...)
}

// outcome names a verdict in results and metrics.
func (v verdict) outcome() string {
	switch {
	case v.refused != nil:
		return outcomeRefused
	case v.unchanged != nil:
		return outcomeUnchanged
	case v.change.before == nil:
		return outcomeCreated
	default:
		return outcomeUpdated
	}
}

// remove deletes a product, if ifMatch (empty for any) names what is stored: 5 round trips and the look-up, 1 commit.
func (s *Service) remove(ctx context.Context, idOrSlug, ifMatch string) error {
	current, err := s.store.record(ctx, idOrSlug)
	if err != nil {
		return err
	}
	err = s.store.inTx(ctx, func(tx pgx.Tx) error {
		state, err := load(ctx, tx, []wish{{id: current.ID, input: contract.ProductInput{Slug: current.Slug}}})
		if err != nil {
			return err
		}
		if err := state.match(current.ID, ifMatch); err != nil {
			return err
		}
		if err := remove(ctx, tx, current.ID); err != nil {
			return err
		}
		return s.writer.Append(ctx, tx, productDeleted(state.byID[current.ID]))
	})
	if err == nil {
		s.writer.Wake()
		s.written.WithLabelValues("product", "deleted").Inc()
	}
	return err
}
