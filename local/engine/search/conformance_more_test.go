package search_test

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/typesense/typesense-go/v3/typesense/api"
	"github.com/typesense/typesense-go/v3/typesense/api/pointer"
)

// One line that is wrong is told in its place, and keeps no other out.
func TestAnImportTellsOfEachLine(t *testing.T) {
	t.Parallel()
	e := open(t)
	whole := func(id string) product {
		return product{"id": id, "title": "Lamp " + id, "brand": "Lux", "categories": []string{"lamps"}, "sales": 0, "in_stock": true}
	}
	for action, want := range map[string]string{
		"create":  "409 201 400 409", // the fourth repeats the second
		"upsert":  "201 201 400 201",
		"update":  "201 404 404 404",
		"emplace": "201 201 400 201",
	} {
		fresh := action
		changed := api.IndexAction(action)
		broken := whole("x" + action)
		broken["sales"] = "many"
		results, err := e.Collection(e.collection).Documents().Import(t.Context(), []any{whole("1"), whole(fresh), broken, whole(fresh)}, &api.ImportDocumentsParams{Action: &changed})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range results {
			if r.Success {
				got = append(got, "201")
			} else {
				got = append(got, code(r.Error))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %s", action, got, want)
		}
	}
}

// code tells an import's errors apart by what they say, since the client drops their codes.
func code(message string) string {
	switch {
	case strings.Contains(message, "already exists"):
		return "409"
	case strings.Contains(message, "Could not find a document"):
		return "404"
	default:
		return "400"
	}
}

func TestExportsChangesByFilterAndSchemas(t *testing.T) {
	t.Parallel()
	e := open(t)
	documents := e.Collection(e.collection).Documents()
	body, err := documents.Export(t.Context(), &api.ExportDocumentsParams{FilterBy: pointer.String("categories:=shirts"), IncludeFields: pointer.String("id,brand")})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	var lines []string
	for scanner := bufio.NewScanner(body); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	slices.Sort(lines)
	if want := []string{`{"brand":"Ayers","id":"1"}`, `{"brand":"Ayers","id":"2"}`, `{"brand":"Plain","id":"5"}`}; !slices.Equal(lines, want) {
		t.Errorf("an export gives %q, want %q", lines, want)
	}
	if n, err := documents.Update(t.Context(), product{"brand": "Sewn"}, &api.UpdateDocumentsParams{FilterBy: pointer.String("brand:=Ayers")}); err != nil || n != 2 {
		t.Errorf("changed %d (%v), want 2", n, err)
	}
	if got := e.ids(func(p *api.SearchCollectionParams) { p.FilterBy = pointer.String("brand:=Sewn") }); got != "2 1" {
		t.Errorf("of the new brand are %q", got)
	}
	if got := e.ids(func(p *api.SearchCollectionParams) { p.FilterBy = pointer.String("brand:=Ayers") }); got != "" {
		t.Errorf("of the old brand are %q", got)
	}
	change := &api.CollectionUpdateSchema{Fields: []api.Field{{Name: "note", Drop: pointer.True()}, {Name: "size", Type: "int32", Optional: pointer.True()}}}
	if _, err := e.Collection(e.collection).Update(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	e.add(product{"id": "6", "title": "Belt", "brand": "Sewn", "categories": []string{"clothes"}, "sales": 2, "in_stock": true, "size": 90})
	if got := e.ids(func(p *api.SearchCollectionParams) { p.FilterBy = pointer.String("size:>80") }); got != "6" {
		t.Errorf("by a field that came later: %q", got)
	}
	unfit := &api.CollectionUpdateSchema{Fields: []api.Field{{Name: "needed", Type: "string"}}}
	if _, err := e.Collection(e.collection).Update(t.Context(), unfit); status(err) != 400 {
		t.Errorf("a field that documents lack: %v, want a refusal", err)
	}
}

func TestPinsHiddenHitsAndShownFields(t *testing.T) {
	t.Parallel()
	e := open(t)
	if got := e.ids(func(p *api.SearchCollectionParams) {
		p.Q, p.PinnedHits, p.HiddenHits = pointer.String("shirt"), pointer.String("3:1,4:3"), pointer.String("2")
	}); got != "3 5 4 1" {
		t.Errorf("pinned and hidden: %q", got)
	}
	result, err := e.search(func(p *api.SearchCollectionParams) {
		p.Q, p.IncludeFields, p.FacetBy, p.FacetQuery = pointer.String("shirt"), pointer.String("title,brand"), pointer.String("brand"), pointer.String("brand:pl")
		p.ExcludeFields = pointer.String("brand")
	})
	if err != nil {
		t.Fatal(err)
	}
	if document := *(*result.Hits)[0].Document; len(document) != 1 || document["title"] != "Shirt" {
		t.Errorf("only the title was asked for: %v", document)
	}
	if counts := *(*result.FacetCounts)[0].Counts; len(counts) != 1 || *counts[0].Value != "Plain" {
		t.Errorf("of the brands that begin with pl: %+v", counts)
	}
	root := &api.SearchSynonymSchema{Root: pointer.String("cycle"), Synonyms: []string{"bicycle"}}
	if _, err := e.Collection(e.collection).Synonyms().Upsert(t.Context(), "one-way", root); err != nil {
		t.Fatal(err)
	}
	if got := e.ids(func(p *api.SearchCollectionParams) {
		p.Q, p.NumTypos = pointer.String("mountain cycle"), pointer.String("0")
	}); got != "4" {
		t.Errorf("by a one-way synonym: %q", got)
	}
}

// The key's value is told once.
func TestKeysAreNotShownAgain(t *testing.T) {
	t.Parallel()
	e := open(t)
	key, err := e.Keys().Create(t.Context(), &api.ApiKeySchema{Description: "d", Actions: []string{"documents:search"}, Collections: []string{e.collection}})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := e.Key(*key.Id).Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := e.Keys().Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range append(all, shown) {
		if each.Value != nil {
			t.Errorf("key %d is shown with its value", *each.Id)
		}
	}
	if _, err := e.Key(*key.Id).Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Whoever searches while documents come and go sees each of them whole.
func TestSearchesDuringWrites(t *testing.T) {
	t.Parallel()
	e := open(t)
	written := make(chan error, 1)
	go func() {
		defer close(written)
		for round := range 30 {
			var lines bytes.Buffer
			for i := range 50 {
				word := []string{"even", "odd"}[round%2]
				fmt.Fprintf(&lines, `{"id":"w%d","title":"changing %s","brand":%q,"categories":["changing"],"sales":%d,"in_stock":true}`+"\n", i, word, word, 100+i)
			}
			action := api.IndexAction("upsert")
			answer, err := e.Collection(e.collection).Documents().ImportJsonl(t.Context(), &lines, &api.ImportDocumentsParams{Action: &action})
			if err == nil {
				err = answer.Close()
			}
			if err != nil {
				written <- err
				return
			}
		}
	}()
	for ongoing := true; ongoing; {
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
			ongoing = false
		default:
		}
		result, err := e.search(func(p *api.SearchCollectionParams) {
			p.Q, p.FilterBy, p.FacetBy = pointer.String("changing odd"), pointer.String("brand:=odd"), pointer.String("brand")
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range *result.Hits {
			if document := *hit.Document; document["brand"] != "odd" || document["title"] != "changing odd" {
				t.Fatalf("a search for odd shows %v", document)
			}
		}
		for _, count := range *(*result.FacetCounts)[0].Counts {
			if *count.Value != "odd" || *count.Count != *result.Found {
				t.Fatalf("%d of %s among %d odd ones", *count.Count, *count.Value, *result.Found)
			}
		}
	}
	if got := e.ids(func(p *api.SearchCollectionParams) {
		p.FilterBy, p.PerPage = pointer.String("brand:=odd && categories:=changing"), pointer.Int(3)
	}); got != "w49 w48 w47" {
		t.Errorf("after the last round: %q", got)
	}
}
