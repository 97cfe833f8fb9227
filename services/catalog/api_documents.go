package catalog

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// documentRoutes is what an index of products is kept by. All of it reads what is committed now.
func documentRoutes(api *httpx.API, s *Service) {
	const documents = "/internal/v1/documents"
	internal := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: documents + path, Summary: summary, Tags: []string{"internal"}, Hidden: true}
	}
	httpx.Handle(api, internal("list-documents", http.MethodGet, "", "Read products for an index, in the order of their ids"), s.getDocuments)
	httpx.Handle(api, internal("read-documents", http.MethodPost, "", "Read some products for an index"), s.postDocuments)
	httpx.Handle(api, internal("read-bucket", http.MethodGet, "/buckets/{bucket}", "Sum up a bucket of products"), s.getBucket)
	httpx.Handle(api, internal("list-ids", http.MethodGet, "/ids", "List the ids of a category's products"), s.getIDs)
	httpx.Handle(api, internal("list-repriced", http.MethodGet, "/repriced", "List what price lists have repriced by beginning or ending"), s.getRepriced)
	httpx.Handle(api, internal("read-owners", http.MethodPost, "/owners", "Find the products of SKUs"), s.postOwners)
}

type documentsOutput struct {
	Body struct {
		Items []contract.ProductDocument `json:"items"`
	}
}

func answerDocuments(items []contract.ProductDocument, err error) (*documentsOutput, error) {
	if err != nil {
		return nil, err
	}
	output := &documentsOutput{}
	output.Body.Items = items
	return output, nil
}

type documentsQuery struct {
	After string `query:"after" maxLength:"64"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
}

func (s *Service) getDocuments(ctx context.Context, input *documentsQuery) (*documentsOutput, error) {
	return answerDocuments(s.store.documentPage(ctx, s.now(), input.After, input.Limit))
}

type documentsInput struct {
	Body struct {
		IDs []string `json:"ids" minItems:"1" maxItems:"1000"`
	}
}

func (s *Service) postDocuments(ctx context.Context, input *documentsInput) (*documentsOutput, error) {
	return answerDocuments(s.store.documentsOf(ctx, s.now(), input.Body.IDs))
}

type bucketQuery struct {
	Bucket    string `path:"bucket" minLength:"1" maxLength:"1"`
	Revisions bool   `query:"revisions" doc:"Give each product's revision too"`
}

type bucketOutput struct {
	Body contract.DocumentBucket
}

func (s *Service) getBucket(ctx context.Context, input *bucketQuery) (*bucketOutput, error) {
	revisions, err := s.store.bucketRevisions(ctx, s.now(), input.Bucket)
	if err != nil {
		return nil, err
	}
	bucket := contract.NewDocumentBucket(input.Bucket, revisions)
	if !input.Revisions {
		bucket.Revisions = nil
	}
	return &bucketOutput{bucket}, nil
}

type idsOutput struct {
	Body struct {
		IDs []string `json:"ids"`
	}
}

type idsQuery struct {
	Category string `query:"category" maxLength:"200" required:"true"`
	After    string `query:"after" maxLength:"64"`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
}

func (s *Service) getIDs(ctx context.Context, input *idsQuery) (*idsOutput, error) {
	ids, err := s.store.ids(ctx, idsOfCategory, input.Category, input.After, input.Limit)
	if err != nil {
		return nil, err
	}
	output := &idsOutput{}
	output.Body.IDs = ids
	return output, nil
}

type repricedQuery struct {
	Since time.Time `query:"since" required:"true" doc:"The moment up to which the caller knows"`
}

type repricedOutput struct {
	Body struct {
		IDs []string `json:"ids"`
		// Until is the moment that the next question continues from.
		Until time.Time `json:"until"`
		// Many says that there are more than were given, so that whoever asks has to look at all.
		Many bool `json:"many"`
	}
}

func (s *Service) getRepriced(ctx context.Context, input *repricedQuery) (*repricedOutput, error) {
	output := &repricedOutput{}
	output.Body.Until = s.moment()
	const mostSKUs = 10 * contract.MaxDocuments
	ids, err := s.store.ids(ctx, idsRepriced, input.Since, output.Body.Until, mostSKUs)
	if err != nil {
		return nil, err
	}
	products := sortedSet(ids)
	output.Body.Many = len(ids) == mostSKUs || len(products) > contract.MaxDocuments
	output.Body.IDs = products[:min(len(products), contract.MaxDocuments)]
	return output, nil
}

type ownersInput struct {
	Body struct {
		SKUs []string `json:"skus" minItems:"1" maxItems:"1000"`
	}
}

type ownersOutput struct {
	Body struct {
		Products map[string]string `json:"products" doc:"The product's id of each SKU that is sold"`
	}
}

func (s *Service) postOwners(ctx context.Context, input *ownersInput) (*ownersOutput, error) {
	owners, err := s.store.owners(ctx, input.Body.SKUs)
	if err != nil {
		return nil, err
	}
	output := &ownersOutput{}
	output.Body.Products = owners
	return output, nil
}
