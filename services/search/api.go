package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/typesense/typesense-go/v3/typesense"
	"github.com/typesense/typesense-go/v3/typesense/api"
	bcp47 "golang.org/x/text/language"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// What an answer says of how long it may be kept. No tag tells which searches a new product belongs to: the edge keeps an answer for a
// second, so that a crowd's question is asked once, and beyond it only while no region answers.
const (
	browserCaching = "public, max-age=0, must-revalidate"
	edgeCaching    = "max-age=1, stale-while-revalidate=0, stale-if-error=3600"
)

func routes(to *httpx.API, s *Service) {
	read := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"search"},
			Errors: []int{http.StatusBadRequest, http.StatusInternalServerError, http.StatusServiceUnavailable}}
	}
	httpx.Handle(to, read("search", "/api/v1/search", "Search products"), s.getSearch)
	httpx.Handle(to, read("suggest", "/api/v1/search/suggest", "Suggest what a shopper may mean who is still typing"), s.getSuggest)
	internal := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Tags: []string{"internal"}, Hidden: true}
	}
	httpx.Handle(to, internal("check-index", contract.PathSearchCheck, "Compare the index with the catalog and mend it"), s.postCheck)
	httpx.Handle(to, internal("rebuild-index", contract.PathSearchRebuild, "Build the index anew while the old one is searched"), s.postRebuild)
}

// answered is the answer to a search. It depends on nothing but the URL and what is indexed.
type answered[T any] struct {
	Status          int
	ETag            string `header:"ETag"`
	CacheControl    string `header:"Cache-Control"`
	CDNCacheControl string `header:"CDN-Cache-Control"`
	CacheTag        string `header:"Cache-Tag"`
	Link            string `header:"Link"`
	Body            written[T]
}

// written is JSON that was written once, for its entity tag and for the answer.
type written[T any] struct{ json.RawMessage }

// Schema gives the schema of T.
func (written[T]) Schema(registry huma.Registry) *huma.Schema {
	return registry.Schema(reflect.TypeFor[T](), true, "")
}

// represent writes an answer. Its tag is weak, and made of content: what is the same but for the time that it took is the same.
func represent[T any](value, content T, ifNoneMatch string) (*answered[T], error) {
	body, err := encode(value)
	if err != nil {
		return nil, err
	}
	same, err := encode(content)
	if err != nil {
		return nil, err
	}
	tag := httpx.ETag(fmt.Sprintf("%016x", xxhash.Sum64(same)))
	answer := &answered[T]{Status: http.StatusOK, ETag: "W/" + tag, CacheControl: browserCaching, CDNCacheControl: edgeCaching, CacheTag: contract.TagSearch, Body: written[T]{body}}
	if ifNoneMatch != "" && httpx.Matches(ifNoneMatch, tag) {
		answer.Status = http.StatusNotModified
	}
	return answer, nil
}

// encode writes JSON without escaping the signs of HTML, which highlights are full of.
func encode(value any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	return body.Bytes(), nil
}

type searchInput struct {
	Q        string `query:"q" maxLength:"200" doc:"Words; the last may be the beginning of one. Empty finds all"`
	Category string `query:"category" maxLength:"200" doc:"A category's slug; what is below it is found too"`
	Brand    string `query:"brand" maxLength:"200"`
	PriceMin string `query:"price_min" maxLength:"15" pattern:"^[0-9]*$" doc:"In minor units of the currency"`
	PriceMax string `query:"price_max" maxLength:"15" pattern:"^[0-9]*$" doc:"In minor units of the currency"`
	InStock  bool   `query:"in_stock" doc:"Only what can be bought now"`
	Sort     string `query:"sort" enum:"relevance,price_asc,price_desc,newest,best_selling" default:"relevance"`
	Page     int    `query:"page" minimum:"1" maximum:"10000" default:"1"`
	PerPage  int    `query:"per_page" minimum:"1" maximum:"100" default:"20"`
	Currency string `query:"currency" default:"USD" minLength:"3" maxLength:"3" doc:"ISO 4217 code of the prices"`
	Region   string `query:"region" maxLength:"63" doc:"The region whose price lists count beside those of all regions"`
	Locale   string `query:"locale" maxLength:"35" doc:"BCP 47 tag of the shopper's language. The catalog has one language; others are searched in it"`

	IfNoneMatch string `header:"If-None-Match"`

	options map[string][]string
	raw     url.URL
}

const optionPrefix = "option."

// Resolve is huma's hook. It takes the options, whose names are the shop's own: option.Size=M.
func (i *searchInput) Resolve(ctx huma.Context) []error {
	i.raw = ctx.URL()
	i.options = map[string][]string{}
	for name, values := range i.raw.Query() {
		if option, isOption := strings.CutPrefix(name, optionPrefix); isOption {
			i.options[option] = values
		}
	}
	return nil
}

func (i *searchInput) query() (Query, error) {
	if _, err := bcp47.Parse(i.Locale); i.Locale != "" && err != nil {
		return Query{}, contract.Invalid("locale", "is no BCP 47 tag, such as en-GB")
	}
	q := Query{Text: strings.TrimSpace(i.Q), Category: i.Category, Brand: i.Brand, InStock: i.InStock, Options: i.options, Sort: i.Sort, Page: i.Page, PerPage: i.PerPage,
		Currency: i.Currency, Region: i.Region}
	for _, bound := range []struct {
		field, text string
		into        **int64
	}{{"price_min", i.PriceMin, &q.PriceMin}, {"price_max", i.PriceMax, &q.PriceMax}} {
		if bound.text == "" {
			continue
		}
		price, err := strconv.ParseInt(bound.text, 10, 64)
		if err != nil {
			return q, contract.Invalid(bound.field, "is no whole number")
		}
		*bound.into = &price
	}
	return q, q.Validate()
}

func (s *Service) getSearch(ctx context.Context, input *searchInput) (*answered[Result], error) {
	q, err := input.query()
	if err != nil {
		return nil, err
	}
	if q.Region != "" && s.regions[q.Region] == "" {
		return nil, contract.Invalid("region", "there is no region %q", q.Region)
	}
	found, err := s.find(ctx, q)
	if err != nil {
		return nil, unavailable(err)
	}
	result := s.result(q, found)
	if found.Hits != nil && len(*found.Hits) > 0 && q.Page == 1 {
		s.popular.hear(s.language, q.Text, matchedStems((*found.Hits)[0]))
	}
	content := result
	content.TookMS = 0
	answer, err := represent(result, content, input.IfNoneMatch)
	if err == nil && q.Page*q.PerPage < min(result.Found, MaxReach-q.PerPage) {
		next := input.raw.Query()
		next.Set("page", strconv.Itoa(q.Page+1))
		answer.Link = "</api/v1/search?" + next.Encode() + `>; rel="next"`
	}
	return answer, err
}

// find asks the engine. It knows no field of prices in a currency that no product has a price in.
func (s *Service) find(ctx context.Context, q Query) (*api.SearchResult, error) {
	found, err := s.engine.search(ctx, s.params(q, true))
	switch {
	case !lacksField(err, priceField(q.Currency, s.regions[q.Region])):
		return found, err
	case q.PriceMin != nil || q.PriceMax != nil:
		return &api.SearchResult{}, nil
	default:
		return s.engine.search(ctx, s.params(q, false))
	}
}

// retryAfter is when, in seconds, a search may be asked again that had no engine: about as long as one takes to be started again.
const retryAfter = int64(2)

// unavailable says that the engine is what is missing, where it is. A search that the engine takes for wrong is this service's mistake.
func unavailable(err error) error {
	var refused *typesense.HTTPError
	var network net.Error
	switch {
	case isMissing(err):
		return contract.Unavailable(err, "there is no index yet; the rest of the shop works").With("retry_after", retryAfter)
	case errors.As(err, &refused) && (refused.Status == http.StatusBadRequest || refused.Status == http.StatusUnprocessableEntity):
		return err
	case errors.As(err, &refused), errors.As(err, &network), errors.Is(err, context.DeadlineExceeded):
		return contract.Unavailable(err, "the search engine does not answer; the rest of the shop works").With("retry_after", retryAfter)
	}
	return err
}

type suggestInput struct {
	Q           string `query:"q" maxLength:"200" required:"true" doc:"What was typed so far"`
	IfNoneMatch string `header:"If-None-Match"`
}

func (s *Service) getSuggest(ctx context.Context, input *suggestInput) (*answered[Suggestions], error) {
	if err := checkText("q", input.Q, MaxQuery); err != nil {
		return nil, err
	}
	found, err := s.suggest(ctx, input.Q)
	if err != nil {
		return nil, unavailable(err)
	}
	return represent(found, found, input.IfNoneMatch)
}

type comparisonOutput struct {
	Body Comparison
}

func (s *Service) postCheck(ctx context.Context, _ *struct{}) (*comparisonOutput, error) {
	found, err := s.index.compare(ctx)
	if errors.Is(err, errNoIndex) {
		return nil, contract.Unavailable(err, "there is no index yet")
	}
	return &comparisonOutput{found}, err
}

func (s *Service) postRebuild(ctx context.Context, _ *struct{}) (*comparisonOutput, error) {
	found, err := s.index.rebuild(ctx)
	return &comparisonOutput{found}, err
}
