package order

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/services/order/promotion"
)

const promotionsPath = "/api/v1/admin/promotions"

func (s *Service) promotionRoutes(api *httpx.API) {
	writers := httpx.ForRoles(contract.RoleMerchandiser, contract.RoleAdmin)
	readers := httpx.ForRoles(contract.RoleSupport, contract.RoleMerchandiser, contract.RoleAdmin)
	tags := []string{"promotions"}
	httpx.Handle(api, huma.Operation{
		OperationID: "create-promotion", Method: http.MethodPost, Path: promotionsPath, Tags: tags, Security: writers, DefaultStatus: http.StatusCreated,
		Summary: "Makes a promotion; its uses are counted in the region that made it",
		Errors:  []int{http.StatusBadRequest, http.StatusConflict, http.StatusServiceUnavailable},
	}, s.handleCreatePromotion)
	httpx.Handle(api, huma.Operation{
		OperationID: "list-promotions", Method: http.MethodGet, Path: promotionsPath, Tags: tags, Security: readers, Summary: "All promotions, newest first",
	}, s.handleListPromotions)
	httpx.Handle(api, huma.Operation{
		OperationID: "get-promotion", Method: http.MethodGet, Path: promotionsPath + "/{id}", Tags: tags, Security: readers, Summary: "A promotion and how often it was used",
		Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.handleGetPromotion)
	changes := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusServiceUnavailable}
	httpx.Handle(api, huma.Operation{
		OperationID: "replace-promotion", Method: http.MethodPut, Path: promotionsPath + "/{id}", Tags: tags, Security: writers, Errors: changes,
		Summary: "Changes a promotion; uses so far count for a limit as far as they were counted",
	}, s.handleReplacePromotion)
	httpx.Handle(api, huma.Operation{
		OperationID: "delete-promotion", Method: http.MethodDelete, Path: promotionsPath + "/{id}", Tags: tags, Security: writers, Errors: changes, DefaultStatus: http.StatusNoContent,
		Summary: "Ends a promotion and forgets who used it; orders keep what it gave them",
	}, s.handleDeletePromotion)
	httpx.Handle(api, huma.Operation{
		OperationID: "get-promotion-code", Method: http.MethodGet, Path: "/internal/v1/promotions/codes/{code}", Tags: []string{"internal"},
		Summary: "What a code that may be entered now is called; the quote says whether it applies", Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.handleGetCode)
}

type promotionOutput struct {
	ETag         string `header:"ETag" doc:"For If-Match"`
	CacheControl string `header:"Cache-Control"`
	Location     string `header:"Location"`
	Body         PromotionRecord
}

func promotionTag(r PromotionRecord) string { return httpx.ETag(r.ID, r.Version) }

func answerPromotion(r PromotionRecord, err error) (*promotionOutput, error) {
	if err != nil {
		return nil, err
	}
	return &promotionOutput{ETag: promotionTag(r), CacheControl: private, Body: r}, nil
}

type createPromotionInput struct {
	Body promotion.Promotion
}

func (s *Service) handleCreatePromotion(ctx context.Context, input *createPromotionInput) (*promotionOutput, error) {
	output, err := answerPromotion(s.createPromotion(ctx, input.Body))
	if err != nil {
		return nil, err
	}
	output.Location = promotionsPath + "/" + output.Body.ID
	return output, nil
}

type listPromotionsInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor string `query:"cursor" maxLength:"64" doc:"next_cursor of the page before"`
}

type listPromotionsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Link         string `header:"Link"`
	Body         struct {
		Items      []PromotionRecord `json:"items"`
		NextCursor string            `json:"next_cursor,omitempty"`
	}
}

func (s *Service) handleListPromotions(ctx context.Context, input *listPromotionsInput) (*listPromotionsOutput, error) {
	if id, err := geo.ParseID(input.Cursor); input.Cursor != "" && (err != nil || id.Kind != promotionKind) {
		return nil, contract.Invalid("cursor", "is not one that this list gave")
	}
	all, err := s.store.promotions(ctx, input.Cursor, input.Limit+1)
	if err != nil {
		return nil, err
	}
	output := &listPromotionsOutput{CacheControl: private}
	output.Body.Items = all[:min(len(all), input.Limit)]
	if len(all) > input.Limit {
		output.Body.NextCursor = all[input.Limit-1].ID
		output.Link = `<` + promotionsPath + `?cursor=` + output.Body.NextCursor + `>; rel="next"`
	}
	return output, nil
}

type getPromotionInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Service) handleGetPromotion(ctx context.Context, input *getPromotionInput) (*promotionOutput, error) {
	return answerPromotion(s.store.promotion(ctx, input.ID))
}

type replacePromotionInput struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match" maxLength:"200" doc:"Refuse with 412 unless this is the newest ETag"`
	Body    promotion.Promotion
}

func (s *Service) handleReplacePromotion(ctx context.Context, input *replacePromotionInput) (*promotionOutput, error) {
	return answerPromotion(s.replacePromotion(ctx, input.ID, input.IfMatch, input.Body))
}

type deletePromotionInput struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match" maxLength:"200" doc:"Refuse with 412 unless this is the newest ETag"`
}

func (s *Service) handleDeletePromotion(ctx context.Context, input *deletePromotionInput) (*struct{}, error) {
	return nil, s.removePromotion(ctx, input.ID, input.IfMatch)
}

type getCodeInput struct {
	Code string `path:"code" maxLength:"40"`
}

type getCodeOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         contract.CartPromotion
}

func (s *Service) handleGetCode(ctx context.Context, input *getCodeInput) (*getCodeOutput, error) {
	found, err := s.promotionOf(ctx, input.Code)
	if err != nil {
		return nil, err
	}
	return &getCodeOutput{CacheControl: private, Body: found}, nil
}
