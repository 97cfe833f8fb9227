package catalog

import (
	"context"

	"github.com/meridian-store/meridian/contract"
)

// neverStored is the Cache-Control of what admins read.
const neverStored = "private, no-store"

type recordOutput struct {
	ETag         string `header:"ETag" doc:"For If-Match"`
	CacheControl string `header:"Cache-Control"`
	Location     string `header:"Location"`
	Body         Record
}

func answerRecord(record Record, err error) (*recordOutput, error) {
	if err != nil {
		return nil, err
	}
	return &recordOutput{ETag: recordTag(record.ID, record.Version), CacheControl: neverStored, Body: record}, nil
}

type recordQuery struct {
	ID string `path:"id" maxLength:"255" doc:"Id or slug"`
}

func (s *Service) getRecord(ctx context.Context, input *recordQuery) (*recordOutput, error) {
	return answerRecord(s.store.record(ctx, input.ID))
}

type createInput struct {
	Body contract.ProductInput
}

func (s *Service) postProduct(ctx context.Context, input *createInput) (*recordOutput, error) {
	answer, err := answerRecord(s.create(ctx, input.Body))
	if err != nil {
		return nil, err
	}
	answer.Location = "/api/v1/admin/products/" + answer.Body.ID
	return answer, nil
}

type replaceInput struct {
	ID      string `path:"id" maxLength:"255" doc:"Id or slug"`
	IfMatch string `header:"If-Match" doc:"Refuse with 412 unless this is the newest ETag"`
	Body    contract.ProductInput
}

func (s *Service) putProduct(ctx context.Context, input *replaceInput) (*recordOutput, error) {
	return answerRecord(s.replace(ctx, input.ID, input.IfMatch, input.Body))
}

type patchInput struct {
	ID      string `path:"id" maxLength:"255" doc:"Id or slug"`
	IfMatch string `header:"If-Match" doc:"Refuse with 412 unless this is the newest ETag"`
	RawBody []byte `contentType:"application/merge-patch+json"`
}

func (s *Service) patchProduct(ctx context.Context, input *patchInput) (*recordOutput, error) {
	return answerRecord(s.patch(ctx, input.ID, input.IfMatch, input.RawBody))
}

type deleteInput struct {
	ID      string `path:"id" maxLength:"255" doc:"Id or slug"`
	IfMatch string `header:"If-Match" doc:"Refuse with 412 unless this is the newest ETag"`
}

func (s *Service) deleteProduct(ctx context.Context, input *deleteInput) (*struct{}, error) {
	return nil, s.remove(ctx, input.ID, input.IfMatch)
}

type bulkProductsInput struct {
	Body struct {
		Items []unread[contract.ProductInput] `json:"items" minItems:"1" maxItems:"200"`
	}
}

type bulkOutput struct {
	Body struct {
		Results []contract.BulkResult `json:"results" doc:"In the order of the items"`
	}
}

func (s *Service) postProducts(ctx context.Context, input *bulkProductsInput) (*bulkOutput, error) {
	if err := checkCount(len(input.Body.Items), MaxBulkProducts); err != nil {
		return nil, err
	}
	return answerBulk(s.writeMany(ctx, input.Body.Items))
}

func checkCount(items, most int) error {
	if items < 1 || items > most {
		return contract.Invalid("items", "a bulk has 1 to %d items, not %d", most, items)
	}
	return nil
}

func answerBulk(results []contract.BulkResult, err error) (*bulkOutput, error) {
	if err != nil {
		return nil, err
	}
	output := &bulkOutput{}
	output.Body.Results = results
	return output, nil
}
