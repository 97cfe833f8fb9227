package order

import (
	"context"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order/promotion"
)

// PromotionRecord is a promotion as admins read it.
type PromotionRecord struct {
	ID string `json:"id" example:"prm_use_01K9ZX3M5Q8T2V4W6Y7Z8A9BCD"`
	promotion.Promotion
	// Region counts the uses, wherever the orders are placed.
	Region    string    `json:"region" doc:"Where its uses are counted"`
	Used      int64     `json:"used" doc:"Orders that use it; counted while it has use_limit"`
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// promotionKind leads the ids of promotions.
const promotionKind = "prm"

// maxAutomatic bounds the promotions that every quote has to look at.
const maxAutomatic = 100

func errNoPromotion() error {
	return contract.Errorf(contract.CodeNotFound, "there is no such promotion")
}

// kept is an offer, and where its uses are counted.
type kept struct {
	promotion.Offer
	home string
}

// limited says whether its uses are counted.
func (k kept) limited() bool { return k.UseLimit > 0 || k.CustomerLimit > 0 }

// shelfAge is how old the automatic promotions may be that a quote without codes is made from. A change is seen so much later; what
// starts or ends by its own times does so exactly.
const shelfAge = time.Second

// shelf offers promotions. Without codes and limits it answers from memory, so that most quotes cost no round trip.
type shelf struct {
	store *store
	now   func() time.Time

	mu        sync.Mutex
	read      time.Time
	automatic []kept
}

// offered gives what a customer ("" for one not known yet) may use with codes.
func (s *shelf) offered(ctx context.Context, codes []string, customer string) ([]kept, error) {
	if len(codes) > 0 {
		return s.store.offered(ctx, codes, customer, s.now())
	}
	automatic, err := s.everyones(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range automatic {
		if k.limited() {
			return s.store.offered(ctx, nil, customer, s.now())
		}
	}
	return automatic, nil
}

// everyones gives the automatic promotions, from memory while they are new enough. Whoever finds them old reads them, and the others wait.
func (s *shelf) everyones(ctx context.Context) ([]kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.read.IsZero() && time.Since(s.read) < shelfAge {
		return s.automatic, nil
	}
	asked := time.Now()
	automatic, err := s.store.offered(ctx, nil, "", s.now())
	if err != nil {
		return nil, err
	}
	s.read, s.automatic = asked, automatic
	return automatic, nil
}

// forget has the next quote see a change that was made here.
func (s *shelf) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = time.Time{}
}

func offersOf(all []kept, at time.Time) offers {
	o := offers{at: at}
	for _, k := range all {
		o.all = append(o.all, k.Offer)
	}
	return o
}
