package catalog

import (
	"context"
	"net/url"
	"strconv"

	"github.com/meridian-store/meridian/contract"
)

// productList is a page of products.
type productList struct {
	Items      []contract.Summary `json:"items"`
	NextCursor string             `json:"next_cursor,omitempty" doc:"Where the next page begins; absent on the last"`
}

type listInput struct {
	Category    string `query:"category" maxLength:"200" doc:"A category's slug; what is below it is listed too"`
	Brand       string `query:"brand" maxLength:"200"`
	Limit       int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor      string `query:"cursor" maxLength:"100" doc:"next_cursor of the page before"`
	Currency    string `query:"currency" default:"USD" minLength:"3" maxLength:"3" doc:"ISO 4217 code of the prices"`
	Region      string `query:"region" maxLength:"63" doc:"The region whose price lists count beside those of all regions"`
	IfNoneMatch string `header:"If-None-Match"`
}

func (s *Service) getProducts(ctx context.Context, input *listInput) (*cached[productList], error) {
	in, err := s.publicMarket(input.Currency, input.Region)
	if err != nil {
		return nil, err
	}
	if input.Category != "" && !slugForm.MatchString(input.Category) {
		return nil, contract.Invalid("category", "%q is not a category slug", input.Category)
	}
	if err := checkText("brand", input.Brand); err != nil {
		return nil, err
	}
	after, err := decodeCursor(input.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := s.store.list(ctx, listQuery{market: in, category: input.Category, brand: input.Brand, after: after, limit: input.Limit})
	if err != nil {
		return nil, err
	}
	list := productList{Items: page.items}
	if page.more {
		list.NextCursor = encodeCursor(page.items[len(page.items)-1].ID)
	}
	answer, err := represent(list, input.IfNoneMatch, cachingUntil(page.until, in.at), input.tags(page.items))
	if err == nil && page.more {
		answer.Link = input.nextLink(list.NextCursor)
	}
	return answer, err
}

// tags name what a list shows, which list it is, and which prices it was asked for.
func (i *listInput) tags(items []contract.Summary) []string {
	tags := contract.PriceTags(i.Currency, i.Region)
	if i.Category != "" {
		tags = append(tags, contract.CategoryListTag(i.Category))
	}
	if i.Brand != "" {
		tags = append(tags, contract.BrandListTag(i.Brand))
	}
	if i.Category == "" && i.Brand == "" {
		tags = append(tags, contract.TagList)
	}
	for _, item := range items {
		tags = append(tags, contract.ProductTag(item.ID))
	}
	return tags
}

func (i *listInput) nextLink(cursor string) string {
	query := url.Values{"cursor": {cursor}, "limit": {strconv.Itoa(i.Limit)}}
	for name, value := range map[string]string{"category": i.Category, "brand": i.Brand, "region": i.Region} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if i.Currency != contract.DefaultCurrency {
		query.Set("currency", i.Currency)
	}
	return "</api/v1/products?" + query.Encode() + `>; rel="next"`
}

type productQuery struct {
	ID          string `path:"id" maxLength:"255" doc:"Id or slug"`
	Currency    string `query:"currency" default:"USD" minLength:"3" maxLength:"3" doc:"ISO 4217 code of the prices"`
	Region      string `query:"region" maxLength:"63" doc:"The region whose price lists count beside those of all regions"`
	IfNoneMatch string `header:"If-None-Match"`
}

func (s *Service) getProduct(ctx context.Context, input *productQuery) (*cached[contract.Product], error) {
	in, err := s.publicMarket(input.Currency, input.Region)
	if err != nil {
		return nil, err
	}
	product, until, err := s.store.product(ctx, input.ID, in)
	if err != nil {
		return nil, err
	}
	tags := append(contract.PriceTags(input.Currency, input.Region), contract.ProductTag(product.ID))
	return represent(product, input.IfNoneMatch, cachingUntil(until, in.at), tags)
}

// categoryTree holds the categories at the top, each with those below it.
type categoryTree struct {
	Items []contract.Category `json:"items"`
}

type categoriesQuery struct {
	IfNoneMatch string `header:"If-None-Match"`
}

func (s *Service) getCategories(ctx context.Context, input *categoriesQuery) (*cached[categoryTree], error) {
	t, err := s.store.tree(ctx)
	if err != nil {
		return nil, err
	}
	return represent(categoryTree{Items: t.nested()}, input.IfNoneMatch, edgeCaching, []string{contract.TagCategories})
}

type skusInput struct {
	Body contract.SKUQuery
}

type skusOutput struct {
	Body struct {
		Items []contract.PricedSKU `json:"items"`
	}
}

func (s *Service) postSKUs(ctx context.Context, input *skusInput) (*skusOutput, error) {
	// A region that has left the shop, or is about to join it, has no lists; a checkout is not refused for that.
	in, err := s.market(input.Body.Currency, input.Body.Region)
	if err != nil {
		return nil, err
	}
	for _, sku := range input.Body.SKUs {
		if err := checkText("skus", sku); err != nil {
			return nil, err
		}
	}
	items, err := s.store.priced(ctx, input.Body.SKUs, in)
	if err != nil {
		return nil, err
	}
	output := &skusOutput{}
	output.Body.Items = items
	return output, nil
}
