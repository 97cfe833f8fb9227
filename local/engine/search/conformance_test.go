package search_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/typesense/typesense-go/v3/typesense"
	"github.com/typesense/typesense-go/v3/typesense/api"
	"github.com/typesense/typesense-go/v3/typesense/api/pointer"

	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/engine/search/searchtest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// What follows holds for a real Typesense too: MERIDIAN_TEST_TYPESENSE_URL and MERIDIAN_TEST_TYPESENSE_KEY name one.

// engine is an engine with a collection of the test's own.
type engine struct {
	*typesense.Client
	t          *testing.T
	url, key   string
	collection string
}

func client(t *testing.T, url, key string) *typesense.Client {
	t.Helper()
	raw, err := api.NewClientWithResponses(url, api.WithHTTPClient(searchtest.Client(t)), api.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
		request.Header.Set("X-TYPESENSE-API-KEY", key)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return typesense.NewClient(typesense.WithAPIClient(raw))
}

func open(t *testing.T) *engine {
	t.Helper()
	url, key := enginetest.Search(t)
	e := &engine{Client: client(t, url, key), t: t, url: url, key: key, collection: enginetest.Prefix() + "products"}
	_, err := e.Collections().Create(t.Context(), &api.CollectionSchema{
		Name: e.collection, DefaultSortingField: pointer.String("sales"), TokenSeparators: &[]string{"-"},
		Fields: []api.Field{
			{Name: "title", Type: "string"}, {Name: "brand", Type: "string", Facet: pointer.True()}, {Name: "categories", Type: "string[]", Facet: pointer.True()},
			{Name: "options", Type: "string[]", Facet: pointer.True(), Optional: pointer.True()}, {Name: "sales", Type: "int64"}, {Name: "in_stock", Type: "bool", Facet: pointer.True()},
			{Name: "price_.*", Type: "int64", Facet: pointer.True(), Optional: pointer.True()}, {Name: "note", Type: "string", Index: pointer.False(), Optional: pointer.True()},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.Collection(e.collection).Delete(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	e.add(
		product{"id": "1", "title": "Blue Denim Shirt", "brand": "Ayers", "categories": []string{"clothes", "shirts"}, "options": []string{"Size=S", "Size=M"}, "sales": 10, "in_stock": true, "price_USD": 2500},
		product{"id": "2", "title": "Red Linen Shirt", "brand": "Ayers", "categories": []string{"clothes", "shirts"}, "sales": 50, "in_stock": true, "price_USD": 3500, "price_EUR": 3300},
		product{"id": "3", "title": "Blue Mug", "brand": "Böhm & Söhne", "categories": []string{"kitchen"}, "sales": 5, "in_stock": false, "price_USD": 900},
		product{"id": "4", "title": "Mountain Bicycle 29-inch", "brand": "Trek", "categories": []string{"bicycles"}, "sales": 20, "in_stock": true, "price_USD": 120000, "note": "Blue"},
		product{"id": "5", "title": "Shirt", "brand": "Plain", "categories": []string{"clothes", "shirts"}, "sales": 1, "in_stock": true, "price_USD": 1500},
	)
	return e
}

type product map[string]any

func (e *engine) add(products ...product) {
	e.t.Helper()
	var documents []any
	for _, p := range products {
		documents = append(documents, p)
	}
	action := api.IndexAction("upsert")
	results, err := e.Collection(e.collection).Documents().Import(e.t.Context(), documents, &api.ImportDocumentsParams{Action: &action})
	if err != nil {
		e.t.Fatal(err)
	}
	for _, r := range results {
		if !r.Success {
			e.t.Fatalf("import: %s", r.Error)
		}
	}
}

func (e *engine) search(change func(*api.SearchCollectionParams)) (*api.SearchResult, error) {
	params := &api.SearchCollectionParams{Q: pointer.String("*"), QueryBy: pointer.String("title,brand,categories")}
	change(params)
	return e.Collection(e.collection).Documents().Search(e.t.Context(), params)
}

// ids searches and gives the hits' ids in order.
func (e *engine) ids(change func(*api.SearchCollectionParams)) string {
	e.t.Helper()
	result, err := e.search(change)
	if err != nil {
		e.t.Fatal(err)
	}
	var ids []string
	for _, hit := range *result.Hits {
		ids = append(ids, fmt.Sprint((*hit.Document)["id"]))
	}
	return strings.Join(ids, " ")
}

func TestWordsTyposAndPrefixes(t *testing.T) {
	t.Parallel()
	e := open(t)
	for q, want := range map[string]string{
		"*":                    "2 4 1 3 5",
		"shirt":                "5 2 1", // the whole field, then by sales
		"blue shirt":           "1",
		"SHIRT":                "5 2 1",
		"blu":                  "1 3", // a prefix
		"shrit":                "2 1 5",
		"bicicle":              "4",
		"moutnain bycicle":     "4",
		"mug blue":             "3",
		"bohm":                 "3", // accents do not count
		"bohm & sohne":         "3",
		"29":                   "4", // split at the separator
		"inch":                 "4",
		"mugg":                 "3",
		"blue shirt elephants": "1", // a word that is nowhere is dropped
		"kitchen":              "3",
		"zzzzzz":               "",
	} {
		if got := e.ids(func(p *api.SearchCollectionParams) { p.Q = pointer.String(q) }); got != want {
			t.Errorf("%q finds %q, want %q", q, got, want)
		}
	}
	if got := e.ids(func(p *api.SearchCollectionParams) { p.Q, p.NumTypos = pointer.String("shrit"), pointer.String("0") }); got != "" {
		t.Errorf("without typos: %q", got)
	}
	if got := e.ids(func(p *api.SearchCollectionParams) { p.Q, p.Prefix = pointer.String("bicy"), pointer.String("false") }); got != "" {
		t.Errorf("without prefixes: %q", got)
	}
}

func TestFiltersAndOrders(t *testing.T) {
	t.Parallel()
	e := open(t)
	for filter, want := range map[string]string{
		"brand:=Ayers": "2 1", "brand:=[Ayers,Trek]": "2 4 1", "brand:!=Ayers": "4 3 5", "brand:=`Böhm & Söhne`": "3", "categories:=shirts": "2 1 5",
		"price_USD:>2500": "2 4", "price_USD:>=2500 && price_USD:<=3500": "2 1", "price_USD:[1000..3000]": "1 5", "price_USD:<1000": "3", "price_USD:[900,1500]": "3 5",
		"in_stock:true": "2 4 1 5", "in_stock:=false || brand:=Trek": "4 3", "(in_stock:=true && price_USD:<3000) || id:=3": "1 3 5", "options:=`Size=M`": "1",
		"price_EUR:>0": "2", "id:[1,5]": "1 5", "title:blue": "1 3",
	} {
		if got := e.ids(func(p *api.SearchCollectionParams) { p.FilterBy = pointer.String(filter) }); got != want {
			t.Errorf("%s lets through %q, want %q", filter, got, want)
		}
	}
	for order, want := range map[string]string{
		"price_USD:asc": "3 5 1 2 4", "price_USD:desc": "4 2 1 5 3", "in_stock:asc,sales:desc": "3 2 4 1 5", "_text_match:desc,sales:asc": "5 3 1 4 2",
		"price_EUR(missing_values: last):asc,sales:desc": "2 4 1 3 5",
	} {
		if got := e.ids(func(p *api.SearchCollectionParams) { p.SortBy = pointer.String(order) }); got != want {
			t.Errorf("%s gives %q, want %q", order, got, want)
		}
	}
	if got := e.ids(func(p *api.SearchCollectionParams) { p.Page, p.PerPage = pointer.Int(2), pointer.Int(2) }); got != "1 3" {
		t.Errorf("the second page is %q", got)
	}
}

func TestFacetsAndHighlights(t *testing.T) {
	t.Parallel()
	e := open(t)
	result, err := e.search(func(p *api.SearchCollectionParams) {
		p.Q, p.FacetBy = pointer.String("shirt"), pointer.String("brand,price_USD(cheap:[0, 2000], dear:[2000, 100000]),in_stock")
	})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, facet := range *result.FacetCounts {
		for _, count := range *facet.Counts {
			told = append(told, fmt.Sprintf("%s %s %d", *facet.FieldName, *count.Value, *count.Count))
		}
	}
	if want := []string{"brand Ayers 2", "brand Plain 1", "price_USD dear 2", "price_USD cheap 1", "in_stock true 3"}; !slices.Equal(told, want) {
		t.Errorf("facets %q, want %q", told, want)
	}
	if *result.Found != 3 || *result.OutOf != 5 {
		t.Errorf("found %d of %d", *result.Found, *result.OutOf)
	}
	result, err = e.search(func(p *api.SearchCollectionParams) { p.Q = pointer.String("blue shirt") })
	if err != nil {
		t.Fatal(err)
	}
	highlights := *(*result.Hits)[0].Highlights
	if len(highlights) == 0 || *highlights[0].Field != "title" || *highlights[0].Snippet != "<mark>Blue</mark> Denim <mark>Shirt</mark>" {
		t.Errorf("highlights %+v", highlights)
	}
}

func TestDocumentsComeAndGo(t *testing.T) {
	t.Parallel()
	e := open(t)
	documents := e.Collection(e.collection).Documents()
	if _, err := e.Collection(e.collection).Document("1").Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Collection(e.collection).Document("1").Retrieve(t.Context()); status(err) != 404 {
		t.Errorf("a deleted document: %v", err)
	}
	if _, err := documents.Create(t.Context(), product{"id": "2", "title": "x"}, &api.DocumentIndexParameters{}); status(err) != 409 {
		t.Errorf("created twice: %v", err)
	}
	if _, err := documents.Upsert(t.Context(), product{"id": "9", "title": "Nine"}, &api.DocumentIndexParameters{}); status(err) != 400 || !strings.Contains(err.Error(), "brand") {
		t.Errorf("without a field that is needed: %v", err)
	}
	if _, err := documents.Upsert(t.Context(), product{"id": "9", "title": 9, "brand": "b", "categories": []string{}, "sales": 1, "in_stock": true}, &api.DocumentIndexParameters{}); status(err) != 400 {
		t.Errorf("with a number for a text: %v", err)
	}
	if _, err := e.Collection(e.collection).Document("3").Update(t.Context(), product{"title": "Green Mug"}, &api.DocumentIndexParameters{}); err != nil {
		t.Fatal(err)
	}
	if got := e.ids(func(p *api.SearchCollectionParams) { p.Q = pointer.String("green") }); got != "3" {
		t.Errorf("a changed document is found as %q", got)
	}
	if got := e.ids(func(p *api.SearchCollectionParams) { p.Q = pointer.String("blue") }); got != "" {
		t.Errorf("what it was before finds %q", got)
	}
	if n, err := documents.Delete(t.Context(), &api.DeleteDocumentsParams{FilterBy: pointer.String("brand:=[Ayers,Trek]")}); err != nil || n != 2 {
		t.Errorf("deleted %d (%v)", n, err)
	}
	if got := e.ids(func(*api.SearchCollectionParams) {}); got != "3 5" {
		t.Errorf("left are %q", got)
	}
}

func TestAliasesSynonymsOverridesAndKeys(t *testing.T) {
	t.Parallel()
	e := open(t)
	alias := enginetest.Prefix() + "alias"
	if _, err := e.Aliases().Upsert(t.Context(), alias, &api.CollectionAliasSchema{CollectionName: e.collection}); err != nil {
		t.Fatal(err)
	}
	got, err := e.Collection(alias).Documents().Search(t.Context(), &api.SearchCollectionParams{Q: pointer.String("mug"), QueryBy: pointer.String("title")})
	if err != nil || *got.Found != 1 {
		t.Errorf("by an alias: %+v (%v)", got, err)
	}
	if _, err := e.Collection(e.collection).Synonyms().Upsert(t.Context(), "cup", &api.SearchSynonymSchema{Synonyms: []string{"mug", "cup", "tea bowl"}}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"cup", "blue cup", "tea bowl"} {
		if got := e.ids(func(p *api.SearchCollectionParams) { p.Q = pointer.String(q) }); got != "3" {
			t.Errorf("by a synonym %q finds %q", q, got)
		}
	}
	rule := api.SearchOverrideSchema{Rule: api.SearchOverrideRule{Query: pointer.String("shirt"), Match: (*api.SearchOverrideRuleMatch)(pointer.String("exact"))},
		Includes: &[]api.SearchOverrideInclude{{Id: "3", Position: 1}}, Excludes: &[]api.SearchOverrideExclude{{Id: "5"}}}
	if _, err := e.Collection(e.collection).Overrides().Upsert(t.Context(), "pin", &rule); err != nil {
		t.Fatal(err)
	}
	if got := e.ids(func(p *api.SearchCollectionParams) { p.Q = pointer.String("shirt") }); got != "3 2 1" {
		t.Errorf("with a pin %q", got)
	}
	elsewhere := func(p *api.SearchCollectionParams) {
		p.Q, p.FilterBy = pointer.String("shirt"), pointer.String("id:!=3")
	}
	if got := e.ids(elsewhere); got != "3 2 1" {
		t.Errorf("a pin that filters do not touch: %q", got)
	}
	rule.FilterCuratedHits = pointer.True()
	if _, err := e.Collection(e.collection).Overrides().Upsert(t.Context(), "pin", &rule); err != nil {
		t.Fatal(err)
	}
	if got := e.ids(elsewhere); got != "2 1" {
		t.Errorf("a pin that is filtered: %q", got)
	}
	if _, err := e.Collection(e.collection).Override("pin").Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, err := e.Keys().Create(t.Context(), &api.ApiKeySchema{Description: "search only", Actions: []string{"documents:search"}, Collections: []string{e.collection}})
	if err != nil {
		t.Fatal(err)
	}
	limited := client(t, e.url, *key.Value)
	params := &api.SearchCollectionParams{Q: pointer.String("*"), QueryBy: pointer.String("title")}
	if _, err := limited.Collection(e.collection).Documents().Search(t.Context(), params); err != nil {
		t.Errorf("a search key may not search: %v", err)
	}
	if _, err := limited.Collection(e.collection).Delete(t.Context()); status(err) != 401 {
		t.Errorf("a search key may delete: %v", err)
	}
	scoped, err := e.Keys().GenerateScopedSearchKey(*key.Value, map[string]any{"filter_by": "brand:=Ayers"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := client(t, e.url, scoped).Collection(e.collection).Documents().Search(t.Context(), params)
	if err != nil || *all.Found != 2 {
		t.Errorf("a scoped key sees %+v (%v), want Ayers' two", all, err)
	}
	for _, way := range []string{"brand:=Trek", "id:=1 || id:=3"} {
		wide := &api.SearchCollectionParams{Q: pointer.String("*"), QueryBy: pointer.String("title"), FilterBy: &way}
		got, err := client(t, e.url, scoped).Collection(e.collection).Documents().Search(t.Context(), wide)
		if err != nil || *got.Found > 1 {
			t.Errorf("a scoped key's caller who filters by %s sees %+v (%v), want no more than the key's", way, got, err)
		}
	}
	several, err := client(t, e.url, scoped).MultiSearch.Perform(t.Context(), &api.MultiSearchParams{}, api.MultiSearchSearchesParameter{Searches: []api.MultiSearchCollectionParameters{
		{Collection: &e.collection, Q: pointer.String("*"), QueryBy: pointer.String("title")},
		{Collection: pointer.String("another"), Q: pointer.String("*"), QueryBy: pointer.String("title")},
	}})
	if err != nil || len(several.Results) != 2 || several.Results[0].Found == nil || *several.Results[0].Found != 2 || several.Results[1].Error == nil {
		t.Errorf("a scoped key searches several collections: %+v (%v), want Ayers' two, and a refusal", several, err)
	}
	if _, err := e.Key(*key.Id).Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := limited.Collection(e.collection).Documents().Search(t.Context(), params); status(err) != 401 {
		t.Errorf("a deleted key: %v", err)
	}
}

func TestWrongSearchesAreRefusedAsTypesenseDoes(t *testing.T) {
	t.Parallel()
	e := open(t)
	for name, tc := range map[string]struct {
		change func(*api.SearchCollectionParams)
		status int
		says   string
	}{
		"an unknown field": {func(p *api.SearchCollectionParams) { p.Q, p.QueryBy = pointer.String("x"), pointer.String("nothing") }, 404, "Could not find a field named `nothing` in the schema."},
		"an unknown filter": {func(p *api.SearchCollectionParams) { p.FilterBy = pointer.String("nothing:=1") }, 404,
			"Could not find a filter field named `nothing` in the schema."},
		"an unknown order": {func(p *api.SearchCollectionParams) { p.SortBy = pointer.String("nothing:asc") }, 404, "Could not find a sort field named `nothing` in the schema."},
		"an unknown facet": {func(p *api.SearchCollectionParams) { p.FacetBy = pointer.String("title") }, 404, "Could not find a facet field named `title` in the schema."},
		"a broken filter":  {func(p *api.SearchCollectionParams) { p.FilterBy = pointer.String("(brand:=x") }, 400, "Could not parse the filter query."},
		"a filter by text": {func(p *api.SearchCollectionParams) { p.FilterBy = pointer.String("sales:>many") }, 400, "Not a number"},
		"a page too large": {func(p *api.SearchCollectionParams) { p.PerPage = pointer.Int(251) }, 422, "250"},
		"a long query":     {func(p *api.SearchCollectionParams) { p.Q = pointer.String(strings.Repeat("a", 4001)) }, 400, "4000"},
	} {
		if _, err := e.search(tc.change); status(err) != tc.status || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %d %q", name, err, tc.status, tc.says)
		}
	}
	if _, err := e.Collection("nothing").Retrieve(t.Context()); status(err) != 404 {
		t.Errorf("an unknown collection: %v", err)
	}
	if _, err := client(t, e.url, "wrong").Collections().Retrieve(t.Context()); status(err) != 401 {
		t.Errorf("a wrong key: %v", err)
	}
}

func status(err error) int {
	var refused *typesense.HTTPError
	if errors.As(err, &refused) {
		return refused.Status
	}
	return 0
}
