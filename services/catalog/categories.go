package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/replication/outbox"
)

const categoryKind = "cat"

// changeTree does a change to the locked tree and writes what came of it with its events.
func (s *Service) changeTree(ctx context.Context, edit func(t *tree) error) (*tree, error) {
	var edited *tree
	err := s.store.inTx(ctx, func(tx pgx.Tx) error {
		t, err := lockTree(ctx, tx)
		if err != nil {
			return err
		}
		if err := edit(t); err != nil {
			return err
		}
		change := t.changes()
		if err := applyTree(ctx, tx, change, s.moment()); err != nil {
			return err
		}
		edited = t
		return s.writer.Append(ctx, tx, categoriesWritten(change.announced)...)
	})
	if err != nil {
		return nil, err
	}
	s.writer.Wake()
	return edited, nil
}

// createCategory adds a category; one that has its slug already is a conflict.
func (s *Service) createCategory(ctx context.Context, input contract.CategoryInput) (contract.Category, error) {
	t, err := s.changeTree(ctx, func(t *tree) error {
		if _, taken := t.nodes[input.Slug]; taken {
			conflict := contract.Errorf(contract.CodeConflict, "there is a category %q already", input.Slug)
			conflict.Field = "slug"
			return conflict
		}
		_, err := t.put(input, s.newID(categoryKind))
		return err
	})
	if err != nil {
		return contract.Category{}, err
	}
	s.written.WithLabelValues("category", outcomeCreated).Inc()
	return t.nodes[input.Slug].category(), nil
}

// replaceCategory writes a category anew, if ifMatch (empty for any) names what is stored. Its slug stays: links, lists and
// products know it by that.
func (s *Service) replaceCategory(ctx context.Context, slug, ifMatch string, input contract.CategoryInput) (contract.Category, error) {
	if input.Slug != slug {
		return contract.Category{}, contract.Invalid("slug", "a category's slug cannot change; %q stays", slug)
	}
	outcome := ""
	t, err := s.changeTree(ctx, func(t *tree) error {
		if err := t.match(slug, ifMatch); err != nil {
			return err
		}
		var err error
		outcome, err = t.put(input, s.newID(categoryKind))
		return err
	})
	if err != nil {
		return contract.Category{}, err
	}
	s.written.WithLabelValues("category", outcome).Inc()
	return t.nodes[slug].category(), nil
}

// writeCategories adds or replaces many categories by slug, in any order; the results are in theirs.
func (s *Service) writeCategories(ctx context.Context, items []unread[contract.CategoryInput]) ([]contract.BulkResult, error) {
	results := make([]contract.BulkResult, len(items))
	var inputs []contract.CategoryInput
	var places []int
	for i, item := range items {
		input, err := s.categories.read(item.RawMessage)
		if err != nil {
			results[i] = refusal(slugOf(item.RawMessage), err)
			continue
		}
		inputs, places = append(inputs, input), append(places, i)
	}
	var written []contract.BulkResult
	if _, err := s.changeTree(ctx, func(t *tree) error {
		written = t.putAll(inputs, s.newID(categoryKind))
		return nil
	}); err != nil {
		return nil, err
	}
	for i, result := range written {
		results[places[i]] = result
	}
	s.count("category", results)
	return results, nil
}

// removeCategory deletes a category that nothing hangs on, if ifMatch (empty for any) names what is stored.
func (s *Service) removeCategory(ctx context.Context, slug, ifMatch string) error {
	err := s.store.inTx(ctx, func(tx pgx.Tx) error {
		t, err := lockTree(ctx, tx)
		if err != nil {
			return err
		}
		if err := t.match(slug, ifMatch); err != nil {
			return err
		}
		gone := t.nodes[slug]
		if err := t.remove(slug); err != nil {
			return err
		}
		used, err := hasProducts(ctx, tx, slug)
		if err != nil {
			return err
		}
		if used {
			return contract.Errorf(contract.CodeConflict, "the category %q has products", slug)
		}
		if err := removeCategory(ctx, tx, slug); err != nil {
			return err
		}
		return s.writer.Append(ctx, tx, outbox.Draft{
			Topic: contract.TopicProducts, Type: contract.CategoryChanged, Aggregate: gone.id, Version: gone.version + 1,
			Data: contract.CategoryChange{CategoryID: gone.id, Slug: slug, Deleted: true},
		})
	})
	if err == nil {
		s.writer.Wake()
		s.written.WithLabelValues("category", "deleted").Inc()
	}
	return err
}

// match holds a write to the category that the writer has seen.
func (t *tree) match(slug, ifMatch string) error {
	current, known := t.nodes[slug]
	if !known {
		return contract.Errorf(contract.CodeNotFound, "there is no category %q", slug)
	}
	return checkMatch(ifMatch, recordTag(current.id, current.version))
}
