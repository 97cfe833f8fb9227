package search

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/typesense/typesense-go/v3/typesense/api"
	"github.com/typesense/typesense-go/v3/typesense/api/pointer"
)

// curation is every rule as the engine has it, by name.
type curation struct {
	synonyms  map[string]api.SearchSynonymSchema
	overrides map[string]api.SearchOverrideSchema
}

// curate brings the rules into the collection that is searched, where they are not what merchants say.
func (x *index) curate(ctx context.Context) error {
	target, err := x.engine.target(ctx)
	if err != nil || target == "" {
		return err
	}
	return x.curateCollection(ctx, target)
}

func (x *index) curateCollection(ctx context.Context, collection string) error {
	want, err := x.wanted(ctx)
	if err != nil {
		return err
	}
	held, err := x.engine.curation(ctx, collection)
	if err != nil {
		return err
	}
	return x.engine.correct(ctx, collection, held, want)
}

// wanted writes the rules for the engine: words as they are indexed.
func (x *index) wanted(ctx context.Context) (curation, error) {
	want := curation{map[string]api.SearchSynonymSchema{}, map[string]api.SearchOverrideSchema{}}
	for name, words := range shopWords {
		want.synonyms[name] = x.language.synonyms(words)
	}
	if x.rules == nil {
		return want, nil
	}
	rules, err := x.rules(ctx)
	if err != nil {
		return want, err
	}
	for _, r := range rules {
		switch r.kind {
		case kindSynonyms:
			var s Synonyms
			if err := json.Unmarshal(r.terms, &s); err != nil {
				return want, fmt.Errorf("read the synonyms %s: %w", r.name, err)
			}
			want.synonyms[r.name] = x.language.synonyms(s)
		case kindPins:
			var p Pins
			if err := json.Unmarshal(r.terms, &p); err != nil {
				return want, fmt.Errorf("read the pins %s: %w", r.name, err)
			}
			want.overrides[r.name] = x.language.override(p)
		}
	}
	return want, nil
}

func (l language) synonyms(s Synonyms) api.SearchSynonymSchema {
	var written api.SearchSynonymSchema
	for _, word := range s.Words {
		written.Synonyms = append(written.Synonyms, strings.Join(l.stems(word), " "))
	}
	if s.Root != "" {
		written.Root = pointer.String(strings.Join(l.stems(s.Root), " "))
	}
	return written
}

func (l language) override(p Pins) api.SearchOverrideSchema {
	match := api.Exact
	if p.Match == "contains" {
		match = api.Contains
	}
	written := api.SearchOverrideSchema{Rule: api.SearchOverrideRule{Query: pointer.String(strings.Join(l.asked(p.Query), " ")), Match: &match}, FilterCuratedHits: pointer.True()}
	var includes []api.SearchOverrideInclude
	for _, pin := range p.Pinned {
		includes = append(includes, api.SearchOverrideInclude{Id: pin.ProductID, Position: pin.Position})
	}
	var excludes []api.SearchOverrideExclude
	for _, id := range p.Hidden {
		excludes = append(excludes, api.SearchOverrideExclude{Id: id})
	}
	if len(includes) > 0 {
		written.Includes = &includes
	}
	if len(excludes) > 0 {
		written.Excludes = &excludes
	}
	return written
}

// curation reads what a collection holds.
func (e *engine) curation(ctx context.Context, collection string) (curation, error) {
	held := curation{map[string]api.SearchSynonymSchema{}, map[string]api.SearchOverrideSchema{}}
	synonyms, err := e.client.Collection(collection).Synonyms().Retrieve(ctx)
	if err != nil {
		return held, fmt.Errorf("read a collection's synonyms: %w", err)
	}
	for _, s := range synonyms {
		held.synonyms[*s.Id] = api.SearchSynonymSchema{Root: s.Root, Synonyms: s.Synonyms}
	}
	overrides, err := e.client.Collection(collection).Overrides().Retrieve(ctx)
	if err != nil {
		return held, fmt.Errorf("read a collection's pins: %w", err)
	}
	for _, o := range overrides {
		held.overrides[*o.Id] = api.SearchOverrideSchema{Rule: o.Rule, Includes: o.Includes, Excludes: o.Excludes}
	}
	return held, nil
}

// correct writes what a collection holds otherwise than wanted, and deletes what it holds too much.
func (e *engine) correct(ctx context.Context, collection string, held, want curation) error {
	in := e.client.Collection(collection)
	for name, s := range want.synonyms {
		if now, there := held.synonyms[name]; !there || said(now) != said(s) {
			if _, err := in.Synonyms().Upsert(ctx, name, &s); err != nil {
				return fmt.Errorf("write synonyms: %w", err)
			}
		}
	}
	for name := range maps.Keys(held.synonyms) {
		if _, wanted := want.synonyms[name]; !wanted {
			if _, err := in.Synonym(name).Delete(ctx); err != nil && !isMissing(err) {
				return fmt.Errorf("delete synonyms: %w", err)
			}
		}
	}
	for name, o := range want.overrides {
		if now, there := held.overrides[name]; !there || arranged(now) != arranged(o) {
			if _, err := in.Overrides().Upsert(ctx, name, &o); err != nil {
				return fmt.Errorf("write pins: %w", err)
			}
		}
	}
	for name := range maps.Keys(held.overrides) {
		if _, wanted := want.overrides[name]; !wanted {
			if _, err := in.Override(name).Delete(ctx); err != nil && !isMissing(err) {
				return fmt.Errorf("delete pins: %w", err)
			}
		}
	}
	return nil
}

// said and arranged are all that counts of a rule, for comparing.
func said(s api.SearchSynonymSchema) string {
	root := ""
	if s.Root != nil {
		root = *s.Root
	}
	return fmt.Sprintf("%q %q", root, s.Synonyms)
}

func arranged(o api.SearchOverrideSchema) string {
	var text strings.Builder
	if o.Rule.Query != nil && o.Rule.Match != nil {
		fmt.Fprintf(&text, "%q %s", *o.Rule.Query, *o.Rule.Match)
	}
	if o.Includes != nil {
		fmt.Fprintf(&text, " %v", *o.Includes)
	}
	if o.Excludes != nil {
		fmt.Fprintf(&text, " hide %v", *o.Excludes)
	}
	return text.String()
}
