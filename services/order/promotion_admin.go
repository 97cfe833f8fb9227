package order

import (
	"context"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/services/order/promotion"
)

func (s *Service) createPromotion(ctx context.Context, wanted promotion.Promotion) (PromotionRecord, error) {
	wanted = wanted.Normal()
	if err := s.admit(ctx, wanted, 0); err != nil {
		return PromotionRecord{}, err
	}
	now := sqlTime(s.now())
	record := PromotionRecord{
		ID: geo.NewID(promotionKind, s.region.Code), Promotion: wanted, Region: s.region.Name, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := s.store.addPromotion(ctx, record); err != nil {
		return PromotionRecord{}, err
	}
	s.shelf.forget()
	return record, nil
}

// admit refuses what is not a promotion, and one automatic promotion more than every quote can look at. own is how many of those that
// are there it replaces.
func (s *Service) admit(ctx context.Context, wanted promotion.Promotion, own int) error {
	if err := wanted.Validate(); err != nil || wanted.Code != "" {
		return err
	}
	n, err := s.store.automatic(ctx, s.now())
	if err == nil && n-own >= maxAutomatic {
		return contract.Errorf(contract.CodeConflict, "there are %d automatic promotions already; end one, or give this one a code", n)
	}
	return err
}

// asSeen reads a promotion for a change by someone who has seen the version that ifMatch names ("" for any).
func (s *Service) asSeen(ctx context.Context, id, ifMatch string) (PromotionRecord, error) {
	record, err := s.store.promotion(ctx, id)
	if err != nil {
		return PromotionRecord{}, err
	}
	if ifMatch != "" && !httpx.Matches(ifMatch, promotionTag(record)) {
		return PromotionRecord{}, errPromotionMoved()
	}
	return record, nil
}

func (s *Service) replacePromotion(ctx context.Context, id, ifMatch string, wanted promotion.Promotion) (PromotionRecord, error) {
	record, err := s.asSeen(ctx, id, ifMatch)
	if err != nil {
		return PromotionRecord{}, err
	}
	own := 0
	if record.Code == "" && record.TimeRefusal(s.now()) != promotion.Expired {
		own = 1
	}
	wanted = wanted.Normal()
	if err := s.admit(ctx, wanted, own); err != nil {
		return PromotionRecord{}, err
	}
	record.Promotion, record.Version, record.UpdatedAt = wanted, record.Version+1, sqlTime(s.now())
	if err := s.store.replacePromotion(ctx, record); err != nil {
		return PromotionRecord{}, err
	}
	s.shelf.forget()
	return record, nil
}

func (s *Service) removePromotion(ctx context.Context, id, ifMatch string) error {
	record, err := s.asSeen(ctx, id, ifMatch)
	if err != nil {
		return err
	}
	homes := make([]string, 0, len(s.regions))
	for _, region := range s.regions {
		homes = append(homes, region.Name)
	}
	if err := s.store.removePromotion(ctx, record, homes); err != nil {
		return err
	}
	s.shelf.forget()
	return nil
}

// promotionOf names the promotion of a code that a shopper enters. A code whose time has not come, or is over, is none: so nobody
// learns of a sale before it begins.
func (s *Service) promotionOf(ctx context.Context, code string) (contract.CartPromotion, error) {
	code = promotion.NormalCode(code)
	refusal := contract.Errorf(contract.CodeNotFound, "there is no such code now")
	if code == "" {
		return contract.CartPromotion{}, refusal
	}
	all, err := s.store.offered(ctx, []string{code}, "", s.now())
	if err != nil {
		return contract.CartPromotion{}, err
	}
	for _, k := range all {
		if k.Code == code && k.TimeRefusal(s.now()) == "" {
			return contract.CartPromotion{Code: k.Code, Title: k.Title}, nil
		}
	}
	return contract.CartPromotion{}, refusal
}
