package identity

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestRegisterLogInRefreshLogOut(t *testing.T) {
	t.Parallel()
	s := openShop(t, kittest.WithRegion("eu-west"))
	first := s.register(t, " Ann@Example.Test ")
	if u := first.User; u.Email != "Ann@Example.Test" || u.HomeRegion != "eu-west" || u.Role != contract.RoleShopper || !contract.IsUserID(u.ID) || !strings.HasPrefix(u.ID, "usr_euw_") {
		t.Fatalf("registered as %+v", u)
	}
	second, response := s.login(t, "ann@EXAMPLE.test", goodPassword)
	want(t, response, http.StatusOK)
	if second.User != first.User || second.ExpiresIn != 900 || second.TokenType != "Bearer" || second.CartMerged != nil {
		t.Fatalf("logged in as %+v", second)
	}
	if cache := response.Header.Get("Cache-Control"); cache != "private, no-store" {
		t.Errorf("tokens may be cached: %q", cache)
	}
	verifier, err := auth.NewVerifier([]byte(s.Env.JWKS), s.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := verifier.Verify("Bearer " + second.AccessToken)
	if err != nil || claims.Subject != first.User.ID || claims.Role != contract.RoleShopper {
		t.Fatalf("the token says %+v (%v)", claims, err)
	}
	third, response := s.refresh(t, second.RefreshToken)
	want(t, response, http.StatusOK)
	if third.RefreshToken == second.RefreshToken || third.User != first.User {
		t.Fatalf("refreshed to %+v", third)
	}
	for range 2 { // logging out twice is fine
		want(t, s.Do(t, http.MethodPost, "/api/v1/auth/logout", RefreshBody{third.RefreshToken}, nil), http.StatusNoContent)
	}
	_, response = s.refresh(t, third.RefreshToken)
	wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	_, response = s.refresh(t, first.RefreshToken)
	want(t, response, http.StatusOK) // another session of the same user
}

func TestARefreshTokenThatServesTwiceEndsItsSession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	stolen := s.register(t, emailOf(1)).RefreshToken
	thief, response := s.refresh(t, stolen)
	want(t, response, http.StatusOK)
	_, response = s.refresh(t, stolen)
	wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	_, response = s.refresh(t, thief.RefreshToken)
	wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	for _, text := range []string{"x", "ses_use_01ARZ3NDEKTSV4RRFFQ69G5FAV.x", "ses_zzz_01ARZ3NDEKTSV4RRFFQ69G5FAV." + strings.Repeat("A", 43)} {
		_, response = s.refresh(t, text)
		wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	}
}

func TestSessionsEndAfterThirtyDaysWithoutUse(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	tokens := s.register(t, emailOf(1))
	for range 2 { // each use prolongs it
		s.clock.advance(20 * 24 * time.Hour)
		var response *http.Response
		tokens, response = s.refresh(t, tokens.RefreshToken)
		want(t, response, http.StatusOK)
	}
	s.clock.advance(30*24*time.Hour + time.Minute)
	_, response := s.refresh(t, tokens.RefreshToken)
	wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	s.register(t, emailOf(2))
	s.clock.advance(31 * 24 * time.Hour)
	kittest.Eventually(t, func() error {
		var left int
		if err := s.DB.QueryRow(t.Context(), `SELECT count(*) FROM sessions WHERE crdb_region = 'us-east'`).Scan(&left); err != nil || left > 0 {
			return errors.Join(err, fmt.Errorf("%d sessions are left", left))
		}
		return nil
	})
}

func TestWrongLoginsLookAlikeWhetherOrNotThereIsAnAccount(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.register(t, emailOf(1))
	_, wrong := s.login(t, emailOf(1), "not the password")
	_, unknown := s.login(t, emailOf(2), "not the password")
	one, other := wantProblem(t, wrong, http.StatusUnauthorized, contract.CodeUnauthorized, ""), wantProblem(t, unknown, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	if one.TraceID, other.TraceID = "", ""; one.Detail != other.Detail || one.Title != other.Title || one.Type != other.Type {
		t.Errorf("%+v differs from %+v", one, other)
	}
}

func TestAnAddressIsTriedTenTimes(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.register(t, emailOf(1))
	for _, email := range []string{emailOf(1), emailOf(2)} { // with and without an account
		for range maxAttempts {
			_, response := s.login(t, email, "not the password")
			wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
		}
		_, response := s.login(t, strings.ToUpper(email), goodPassword)
		wantProblem(t, response, http.StatusTooManyRequests, contract.CodeTooMany, "")
		if response.Header.Get("Retry-After") == "" {
			t.Error("a 429 must say when to come back")
		}
	}
	s.register(t, emailOf(3))
	for range 2 {
		for range maxAttempts - 1 {
			_, response := s.login(t, emailOf(3), "not the password")
			wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
		}
		_, response := s.login(t, emailOf(3), goodPassword) // starts the count anew
		want(t, response, http.StatusOK)
	}
}

func TestWhatCannotBeRegisteredIsRefused(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.register(t, emailOf(1))
	post := func(email, password string) *http.Response {
		return s.Do(t, http.MethodPost, "/api/v1/auth/register", map[string]string{"email": email, "password": password}, nil)
	}
	wantProblem(t, post(strings.ToUpper(emailOf(1)), goodPassword), http.StatusConflict, contract.CodeConflict, "email")
	wantProblem(t, post("nobody", goodPassword), http.StatusBadRequest, contract.CodeInvalid, "email")
	wantProblem(t, post(emailOf(2), "Password123"), http.StatusBadRequest, contract.CodeInvalid, "password")
	wantProblem(t, post(emailOf(2), "short"), http.StatusBadRequest, contract.CodeInvalid, "password")
	wantProblem(t, post(emailOf(2), strings.Repeat("x", 129)), http.StatusBadRequest, contract.CodeInvalid, "password")
}

func TestAGuestsCartIsHandedOverAtLogin(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	cart := &fakeCart{merged: map[string]string{}, left: []contract.SKUCount{{SKU: "A", Quantity: 3}}}
	guest := map[string]string{contract.HeaderCartID: "crt_use_1.secret"}
	id := s.register(t, emailOf(1)).User.ID
	tokens, response := s.login(t, emailOf(1), goodPassword, guest)
	want(t, response, http.StatusOK) // no cart service at all
	if tokens.CartMerged == nil || *tokens.CartMerged {
		t.Fatalf("without a cart service: %+v", tokens)
	}
	s.Neighbour(t, contract.ServiceCart, cart)
	kittest.Eventually(t, func() error {
		tokens, response = s.refresh(t, tokens.RefreshToken, guest)
		want(t, response, http.StatusOK)
		if !*tokens.CartMerged {
			return errors.New("the cart is not merged yet")
		}
		return nil
	})
	if cart.merged["crt_use_1.secret"] != id || len(tokens.LeftOut) != 1 || tokens.LeftOut[0].Quantity != 3 {
		t.Fatalf("merged %+v, told %+v", cart.merged, tokens)
	}
	tokens, response = s.login(t, emailOf(1), goodPassword, map[string]string{"Cookie": "cart=crt_use_2.secret"})
	if !*tokens.CartMerged || cart.merged["crt_use_2.secret"] != id || !strings.Contains(response.Header.Get("Set-Cookie"), "cart=;") {
		t.Fatalf("by cookie: %+v, %v", tokens, response.Header)
	}
	cart.set(func(f *fakeCart) { f.down = true })
	tokens, response = s.login(t, emailOf(1), goodPassword, map[string]string{"Cookie": "cart=crt_use_3.secret"})
	if want(t, response, http.StatusOK); *tokens.CartMerged || response.Header.Get("Set-Cookie") != "" {
		t.Fatalf("with a cart service that fails: %+v, %v", tokens, response.Header)
	}
}

func TestThePublishedKeysVerifyTokens(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	var keys auth.KeySet
	response := want(t, s.Do(t, http.MethodGet, "/.well-known/jwks.json", nil, &keys), http.StatusOK)
	if len(keys.Keys) != 1 || keys.Keys[0].ID != "us-east" || !strings.HasPrefix(response.Header.Get("Cache-Control"), "public") {
		t.Fatalf("%+v %v", keys, response.Header)
	}
}
