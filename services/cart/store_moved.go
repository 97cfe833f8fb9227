package cart

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/redis/rueidis"
)

// moved is where a guest's cart of another region has moved.
type moved struct {
	Into string `json:"into"`
	// Codes are the promotion codes that came along.
	Codes []string `json:"codes"`
}

// noteMoved remembers that a guest's cart of another region moves into a user's cart here, for as long as the cart could be bought.
func (s *store) noteMoved(ctx context.Context, guest cart, into string) error {
	note := moved{Into: into}
	for _, entered := range guest.entered() {
		note.Codes = append(note.Codes, entered.code)
	}
	encoded, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("encode where cart %s has moved: %w", guest.id, err)
	}
	if err := s.redis.Do(ctx, s.redis.B().Set().Key(s.keys.moved(guest.id)).Value(string(encoded)).Px(retention).Build()).Error(); err != nil {
		return unreachable(err)
	}
	return nil
}

// movedInto gives a guest's cart of another region as it moved in here, and the user's cart that it moved into; "" when it did not.
func (s *store) movedInto(ctx context.Context, id string) (guest cart, into string, err error) {
	encoded, err := s.redis.Do(ctx, s.redis.B().Get().Key(s.keys.moved(id)).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return cart{}, "", nil
	}
	if err != nil {
		return cart{}, "", unreachable(err)
	}
	var note moved
	if err := json.Unmarshal(encoded, &note); err != nil {
		return cart{}, "", fmt.Errorf("read where cart %s has moved: %w", id, err)
	}
	guest = cart{id: id, mergedInto: note.Into}
	for _, each := range note.Codes {
		guest.codes = append(guest.codes, code{code: each})
	}
	return guest, note.Into, nil
}
