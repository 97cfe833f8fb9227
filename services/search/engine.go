package search

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/typesense/typesense-go/v3/typesense"
	"github.com/typesense/typesense-go/v3/typesense/api"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/secret"
)

const (
	// engineTimeout bounds a request to the engine. A thousand documents are written well within it.
	engineTimeout = 10 * time.Second
	// batchSize is how many documents are written at once.
	batchSize = 1000
)

// engine is the region's search engine, by Typesense's own client.
type engine struct {
	client *typesense.Client
	// searcher does nothing but search this index, whatever a shopper's words may bring about.
	searcher  *typesense.Client
	searchKey func() string
	// alias names the collection that is searched; what it points to begins with it too.
	alias string
}

// newEngine makes the client of an engine; it sends nothing yet. The client's own circuit breaker, which stays open for a minute, is left out:
// an engine that is back is used at once.
func newEngine(url string, key secret.Secret, alias string, sender *http.Client) (*engine, error) {
	if sender == nil {
		sender = httpclient.New(httpclient.Options{Timeout: engineTimeout, Proxy: true})
	}
	e := &engine{alias: alias, searchKey: func() string { return searchKey(key.Current(), alias) }}
	var err error
	if e.client, err = newClient(url, key.Current, sender); err != nil {
		return nil, err
	}
	e.searcher, err = newClient(url, e.searchKey, sender)
	return e, err
}

func newClient(url string, key func() string, sender *http.Client) (*typesense.Client, error) {
	raw, err := api.NewClientWithResponses(url, api.WithHTTPClient(sender), api.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
		request.Header.Set("X-TYPESENSE-API-KEY", key())
		return nil
	}))
	if err != nil {
		return nil, fmt.Errorf("make a client of the search engine: %w", err)
	}
	return typesense.NewClient(typesense.WithAPIClient(raw)), nil
}

func isStatus(err error, status int) bool {
	var refused *typesense.HTTPError
	return errors.As(err, &refused) && refused.Status == status
}

func isMissing(err error) bool { return isStatus(err, http.StatusNotFound) }

// lacksField says that an engine refused a search because none of its documents has a field.
func lacksField(err error, name string) bool {
	var refused *typesense.HTTPError
	return errors.As(err, &refused) && strings.Contains(string(refused.Body), "field named `"+name+"`")
}

// newName names a collection: by the version of what is in it, so that one of an older version is known, and by when it was begun.
func (e *engine) newName(now time.Time) string {
	return fmt.Sprintf("%s-%03d-%d", e.alias, documentVersion, now.UnixMilli())
}

// versionOf reads it from a collection's name; 0 where there is none.
func (e *engine) versionOf(collection string) int {
	text, _, _ := strings.Cut(strings.TrimPrefix(collection, e.alias+"-"), "-")
	version, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return version
}

// target gives the collection that is searched; "" when there is none yet, or its documents are of an older version.
func (e *engine) target(ctx context.Context) (string, error) {
	alias, err := e.client.Alias(e.alias).Retrieve(ctx)
	if isMissing(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("ask the search engine which collection is searched: %w", err)
	}
	if e.versionOf(alias.CollectionName) < documentVersion {
		return "", nil
	}
	return alias.CollectionName, nil
}

// create makes an empty collection.
func (e *engine) create(ctx context.Context, name string) error {
	if _, err := e.client.Collections().Create(ctx, collectionSchema(name)); err != nil {
		return fmt.Errorf("make a collection: %w", err)
	}
	return nil
}

// point has searches go to a collection from now on.
func (e *engine) point(ctx context.Context, name string) error {
	if _, err := e.client.Aliases().Upsert(ctx, e.alias, &api.CollectionAliasSchema{CollectionName: name}); err != nil {
		return fmt.Errorf("point searches to a collection: %w", err)
	}
	return nil
}

// collections lists those of this index, whether or not they are searched.
func (e *engine) collections(ctx context.Context) ([]string, error) {
	all, err := e.client.Collections().Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	var names []string
	for _, c := range all {
		if strings.HasPrefix(c.Name, e.alias+"-") {
			names = append(names, c.Name)
		}
	}
	return names, nil
}

func (e *engine) drop(ctx context.Context, name string) error {
	if _, err := e.client.Collection(name).Delete(ctx); err != nil && !isMissing(err) {
		return fmt.Errorf("delete a collection: %w", err)
	}
	return nil
}

// search asks for one page. An engine that does not know the key for searching, because it is new, is told it.
func (e *engine) search(ctx context.Context, params api.MultiSearchCollectionParameters) (*api.SearchResult, error) {
	found, err := e.trySearch(ctx, params)
	if !isStatus(err, http.StatusUnauthorized) && !isStatus(err, http.StatusForbidden) {
		return found, err
	}
	if err := e.tellSearchKey(ctx); err != nil {
		return nil, err
	}
	return e.trySearch(ctx, params)
}

// trySearch asks by POST, for a query may be longer than an address.
func (e *engine) trySearch(ctx context.Context, params api.MultiSearchCollectionParameters) (*api.SearchResult, error) {
	params.Collection = &e.alias
	answer, err := e.searcher.MultiSearch.Perform(ctx, &api.MultiSearchParams{}, api.MultiSearchSearchesParameter{Searches: []api.MultiSearchCollectionParameters{params}})
	if err != nil {
		return nil, err
	}
	if len(answer.Results) != 1 {
		return nil, fmt.Errorf("the search engine answers %d searches, not 1", len(answer.Results))
	}
	result := answer.Results[0]
	if result.Error != nil {
		return nil, &typesense.HTTPError{Status: int(*result.Code), Body: []byte(*result.Error)}
	}
	return &api.SearchResult{Found: result.Found, Hits: result.Hits, FacetCounts: result.FacetCounts, SearchTimeMs: result.SearchTimeMs}, nil
}
