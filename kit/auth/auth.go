// Package auth mints and verifies bearer tokens: EdDSA JWTs signed with a region's key and verified offline, everywhere, by the
// published JWKS.
package auth

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/meridian-store/meridian/contract"
)

const (
	issuer = "meridian"
	// leeway forgives clocks of different regions.
	leeway = 60 * time.Second
)

// Claims are what a token says of its bearer.
type Claims struct {
	jwt.RegisteredClaims
	Role string `json:"role"`
}

// Signer mints tokens with one region's key.
type Signer struct {
	keyID string
	key   ed25519.PrivateKey
}

// NewSigner makes a signer from a 32-byte Ed25519 seed; keyID names its public half in the JWKS.
func NewSigner(keyID string, seed []byte) (*Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the signing key has %d bytes, not %d", len(seed), ed25519.SeedSize)
	}
	return &Signer{keyID: keyID, key: ed25519.NewKeyFromSeed(seed)}, nil
}

// Mint signs a token for a subject with a role, valid from now for a lifetime.
func (s *Signer) Mint(subject, role string, now time.Time, lifetime time.Duration) (string, error) {
	if !slices.Contains(contract.Roles(), role) {
		return "", contract.Invalid("role", "%q is not one of %s", role, strings.Join(contract.Roles(), ", "))
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, Claims{Role: role, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Subject: subject, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
	}})
	token.Header["kid"] = s.keyID
	return token.SignedString(s.key)
}

// PublicKey is the signer's half that may be published.
func (s *Signer) PublicKey() Key {
	public := s.key.Public().(ed25519.PublicKey)
	return Key{Type: "OKP", Curve: "Ed25519", ID: s.keyID, Use: "sig", Algorithm: "EdDSA", X: base64.RawURLEncoding.EncodeToString(public)}
}

// Key is one public key of a JWKS (RFC 7517, RFC 8037).
type Key struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	X         string `json:"x"`
}

// KeySet is a JWKS.
type KeySet struct {
	Keys []Key `json:"keys"`
}

// Verifier checks tokens against the regions' public keys.
type Verifier struct {
	keys map[string]ed25519.PublicKey
	now  func() time.Time
}

// NewVerifier reads a JWKS document.
func NewVerifier(jwks []byte, now func() time.Time) (*Verifier, error) {
	var set KeySet
	if err := json.Unmarshal(jwks, &set); err != nil {
		return nil, fmt.Errorf("read the JWKS: %w", err)
	}
	keys := make(map[string]ed25519.PublicKey, len(set.Keys))
	for _, key := range set.Keys {
		raw, err := base64.RawURLEncoding.DecodeString(key.X)
		if err != nil || key.Type != "OKP" || key.Curve != "Ed25519" || len(raw) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("key %q of the JWKS is not an Ed25519 key", key.ID)
		}
		keys[key.ID] = raw
	}
	return &Verifier{keys: keys, now: now}, nil
}

// Verify reads the token of an `Authorization: Bearer` header.
func (v *Verifier) Verify(authorization string) (Claims, error) {
	scheme, token, found := strings.Cut(authorization, " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return Claims{}, contract.Errorf(contract.CodeUnauthorized, "a bearer token is needed")
	}
	var claims Claims
	_, err := jwt.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		key, ok := v.keys[id]
		if !ok {
			return nil, fmt.Errorf("no key %q", id)
		}
		return key, nil
	}, jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(v.now))
	if err != nil {
		return Claims{}, contract.Errorf(contract.CodeUnauthorized, "the bearer token is not valid")
	}
	return claims, nil
}

type claimsKey struct{}

// NewContext keeps verified claims in a context.
func NewContext(ctx context.Context, claims Claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, claims)
}

// FromContext gives the verified claims of a request, false when it carried no token.
func FromContext(ctx context.Context) (Claims, bool) {
	claims, ok := ctx.Value(claimsKey{}).(Claims)
	return claims, ok
}
