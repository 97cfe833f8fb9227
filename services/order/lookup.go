package order

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

type lookupInput struct {
	Body struct {
		Number string `json:"number" minLength:"1" maxLength:"20" example:"M7K2-9QX4"`
		Email  string `json:"email" minLength:"3" maxLength:"254"`
	}
}

// handleLookup shows a guest the order whose number and email address they know. An unknown number and a wrong address get the same
// answer after the same two reads, and the addresses are compared in a time that tells nothing.
func (s *Service) handleLookup(ctx context.Context, input *lookupInput) (*orderOutput, error) {
	number, known := readNumber(input.Body.Number), false
	candidates, err := s.store.numbered(ctx, s.homeNames(), number)
	if err != nil {
		return nil, err
	}
	entries, err := s.store.archivedNumbered(ctx, s.homeNames(), number)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		order, err := s.readArchived(ctx, entry)
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, order)
	}
	var found placed
	// A number is unique in its region only. The stranger stands in where there is none, so that something is always compared.
	for _, candidate := range append(candidates, placed{}) {
		if sameAddress(candidate.Email, input.Body.Email) && candidate.Email != "" {
			found, known = candidate, true
		}
	}
	if !known {
		return nil, errNoOrder()
	}
	return answerOrder(found), nil
}

// sameAddress compares email addresses as people write them, without case and spaces around.
func sameAddress(one, other string) bool {
	a, b := sha256.Sum256([]byte(plainAddress(one))), sha256.Sum256([]byte(plainAddress(other)))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func plainAddress(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// readNumber reads an order's number as people copy it: in any case, with or without the dash, and with the letters that the alphabet
// leaves out taken for those that they look like.
func readNumber(text string) string {
	text = strings.NewReplacer("O", "0", "I", "1", "L", "1", "-", "", " ", "").Replace(strings.ToUpper(text))
	if len(text) != 8 {
		return text
	}
	return text[:4] + "-" + text[4:]
}
