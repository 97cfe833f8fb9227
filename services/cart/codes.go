package cart

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// readCode gives a promotion code as it is kept: upper-case, without spaces around it. It refuses what no promotion could have.
func readCode(text string) (string, error) {
	code := strings.ToUpper(strings.TrimSpace(text))
	switch {
	case code == "" || !utf8.ValidString(text):
		return "", contract.Invalid("code", "is empty or not text")
	case utf8.RuneCountInString(code) > maxCodeLength:
		return "", contract.Invalid("code", "is longer than %d characters", maxCodeLength)
	case strings.ContainsFunc(code, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "", contract.Invalid("code", "contains a space or what cannot be printed")
	}
	return code, nil
}

// titleOf asks the order service whether a code exists, and what its promotion is called.
func (s *shoppers) titleOf(ctx context.Context, code string) (string, error) {
	var promotion contract.CartPromotion
	err := s.neighbours.Do(ctx, httpx.Call{
		Service: contract.ServiceOrder, Method: http.MethodGet, Path: "/internal/v1/promotions/codes/" + url.PathEscape(code), Out: &promotion,
	})
	switch contract.CodeOf(err) {
	case "":
		return bounded(promotion.Title), nil
	case contract.CodeNotFound, contract.CodeInvalid:
		unknown := contract.Errorf(contract.CodeNotFound, "there is no promotion with this code")
		unknown.Field = "code"
		return "", unknown
	default:
		return "", contract.Unavailable(err, "promotion codes cannot be read now; try again shortly")
	}
}

// bounded cuts a title to what a cart has room for.
func bounded(title string) string {
	letters := []rune(title)
	return string(letters[:min(len(letters), maxTitleLength)])
}

// enter puts a promotion code in the cart, and makes a cart for whoever's claim opens none. The code must exist; whether it applies is
// for the quote to say. Entering it again changes nothing.
func (s *shoppers) enter(ctx context.Context, r request, code string) (answer, error) {
	title, err := s.titleOf(ctx, code)
	if err != nil {
		return answer{}, err
	}
	entered, err := s.change(ctx, r, func(who claim) (cart, error) { return s.store.code(ctx, who, "", modeEnter, code, title) })
	if contract.CodeOf(err) != contract.CodeNotFound {
		return entered, err
	}
	who, text, err := s.newcomer(ctx, r)
	if err != nil {
		return answer{}, err
	}
	c, err := s.store.code(ctx, who, r.currency, modeEnter, code, title)
	if err != nil {
		return answer{}, err
	}
	entered, err = s.show(ctx, newPrices(c.currency, s.region.Name), c)
	entered.made = text
	return entered, err
}

// leave takes a promotion code out; contract.CodeNotFound when the claim opens no cart.
func (s *shoppers) leave(ctx context.Context, r request, code string) (answer, error) {
	return s.change(ctx, r, func(who claim) (cart, error) { return s.store.code(ctx, who, "", modeLeave, code, "") })
}

// How code treats a promotion code.
const (
	modeEnter = "enter"
	modeLeave = "leave"
)

// code enters a promotion code or takes it out. A currency other than "" makes the cart when it is missing. The errors are
// contract.CodeNotFound when the claim opens no cart, contract.CodeInvalid when there would be too many.
func (s *store) code(ctx context.Context, who claim, currency, mode, code, title string) (cart, error) {
	return s.change(ctx, s.scripts.code, who.id, who.secretHash, currency, mode, code, title, decimal(contract.MaxCartCodes))
}
