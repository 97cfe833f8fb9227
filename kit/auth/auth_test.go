package auth_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/auth"
)

func pair(t *testing.T, id string, filler byte, now time.Time) (*auth.Signer, *auth.Verifier) {
	t.Helper()
	signer, err := auth.NewSigner(id, bytes.Repeat([]byte{filler}, 32))
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := json.Marshal(auth.KeySet{Keys: []auth.Key{signer.PublicKey()}})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := auth.NewVerifier(jwks, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func TestTokensAreVerifiedOffline(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	signer, verifier := pair(t, "us-east", 1, now)
	stranger, _ := pair(t, "us-east", 2, now)
	mint := func(s *auth.Signer, at time.Time) string {
		token, err := s.Mint("someone", contract.RoleAdmin, at, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, auth.Claims{Role: contract.RoleAdmin}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	good := mint(signer, now)
	head, _, _ := strings.Cut(good, ".")
	cases := map[string]struct {
		header string
		valid  bool
	}{
		"good":                      {"Bearer " + good, true},
		"scheme in lower case":      {"bearer " + good, true},
		"expired within the leeway": {"Bearer " + mint(signer, now.Add(-90*time.Second)), true},
		"expired":                   {"Bearer " + mint(signer, now.Add(-3*time.Minute)), false},
		"of another key":            {"Bearer " + mint(stranger, now), false},
		"unsigned":                  {"Bearer " + unsigned, false},
		"cut":                       {"Bearer " + head, false},
		"no scheme":                 {good, false},
		"empty":                     {"", false},
		"another scheme":            {"Basic " + good, false},
	}
	for name, c := range cases {
		claims, err := verifier.Verify(c.header)
		if (err == nil) != c.valid {
			t.Errorf("%s: %v", name, err)
		}
		if c.valid && (claims.Role != contract.RoleAdmin || claims.Subject != "someone") {
			t.Errorf("%s: %+v", name, claims)
		}
		if !c.valid && contract.CodeOf(err) != contract.CodeUnauthorized {
			t.Errorf("%s: code %s", name, contract.CodeOf(err))
		}
	}
}

func TestMintRefusesAnUnknownRole(t *testing.T) {
	t.Parallel()
	signer, _ := pair(t, "us-east", 1, time.Now())
	if _, err := signer.Mint("someone", "root", time.Now(), time.Hour); contract.CodeOf(err) != contract.CodeInvalid {
		t.Fatal(err)
	}
}
