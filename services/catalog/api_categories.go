package catalog

import (
	"context"

	"github.com/meridian-store/meridian/contract"
)

type categoryOutput struct {
	ETag         string `header:"ETag" doc:"For If-Match"`
	CacheControl string `header:"Cache-Control"`
	Location     string `header:"Location"`
	Body         contract.Category
}

func answerCategory(category contract.Category, err error) (*categoryOutput, error) {
	if err != nil {
		return nil, err
	}
	return &categoryOutput{ETag: recordTag(category.ID, category.Version), CacheControl: neverStored, Body: category}, nil
}

type categoryRecordsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         categoryTree
}

func (s *Service) getCategoryRecords(ctx context.Context, _ *struct{}) (*categoryRecordsOutput, error) {
	t, err := s.store.tree(ctx)
	if err != nil {
		return nil, err
	}
	return &categoryRecordsOutput{CacheControl: neverStored, Body: categoryTree{Items: t.nested()}}, nil
}

type categoryQuery struct {
	Slug string `path:"slug" maxLength:"200"`
}

func (s *Service) getCategory(ctx context.Context, input *categoryQuery) (*categoryOutput, error) {
	t, err := s.store.tree(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.match(input.Slug, ""); err != nil {
		return nil, err
	}
	return answerCategory(t.nodes[input.Slug].category(), nil)
}

type createCategoryInput struct {
	Body contract.CategoryInput
}

func (s *Service) postCategory(ctx context.Context, input *createCategoryInput) (*categoryOutput, error) {
	answer, err := answerCategory(s.createCategory(ctx, input.Body))
	if err != nil {
		return nil, err
	}
	answer.Location = "/api/v1/admin/categories/" + answer.Body.Slug
	return answer, nil
}

type replaceCategoryInput struct {
	Slug    string `path:"slug" maxLength:"200"`
	IfMatch string `header:"If-Match" doc:"Refuse with 412 unless this is the newest ETag"`
	Body    contract.CategoryInput
}

func (s *Service) putCategory(ctx context.Context, input *replaceCategoryInput) (*categoryOutput, error) {
	return answerCategory(s.replaceCategory(ctx, input.Slug, input.IfMatch, input.Body))
}

type deleteCategoryInput struct {
	Slug    string `path:"slug" maxLength:"200"`
	IfMatch string `header:"If-Match" doc:"Refuse with 412 unless this is the newest ETag"`
}

func (s *Service) deleteCategory(ctx context.Context, input *deleteCategoryInput) (*struct{}, error) {
	return nil, s.removeCategory(ctx, input.Slug, input.IfMatch)
}

type bulkCategoriesInput struct {
	Body struct {
		Items []unread[contract.CategoryInput] `json:"items" minItems:"1" maxItems:"500"`
	}
}

func (s *Service) postCategories(ctx context.Context, input *bulkCategoriesInput) (*bulkOutput, error) {
	if err := checkCount(len(input.Body.Items), MaxBulkCategories); err != nil {
		return nil, err
	}
	return answerBulk(s.writeCategories(ctx, input.Body.Items))
}
