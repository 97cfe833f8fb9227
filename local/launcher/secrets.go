package launcher

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/kit/auth"
)

const secretsFile = "secrets.json"

// secrets are made once for a home and kept in a file that only its owner can read.
type secrets struct {
	SQLAdmin string `json:"sql_admin"`
	// SQLAudit is the password of the role that audits.
	SQLAudit string `json:"sql_audit"`
	// SQLRoles and Redis hold passwords by service and by region; SigningSeeds hold Ed25519 seeds by region.
	SQLRoles     map[string]string `json:"sql_roles"`
	Redis        map[string]string `json:"redis"`
	SigningSeeds map[string][]byte `json:"signing_seeds"`
	// Search are the admin keys of the search engines, by region.
	Search   map[string]string `json:"search"`
	Internal string            `json:"internal"`
	Edge     string            `json:"edge"`
	// EdgeAPI is what callers present to the edge's own API.
	EdgeAPI string `json:"edge_api"`
	// Directory is the key of the login directory. It must never change: addresses would not be found any more.
	Directory string `json:"directory"`
	// PaymentKey is what payment presents to the payment sandbox, PaymentWebhook what the sandbox signs its webhooks with.
	PaymentKey     string `json:"payment_key"`
	PaymentWebhook string `json:"payment_webhook"`
	// Customers is the key of the names by which uses of promotions are counted. With another one, every customer begins anew.
	Customers string `json:"customers"`
}

// loadSecrets reads the home's secrets and adds those of services and regions that are new.
func loadSecrets(home Home, services, regions []string) (secrets, error) {
	s := secrets{SQLRoles: map[string]string{}, Redis: map[string]string{}, SigningSeeds: map[string][]byte{}, Search: map[string]string{}}
	if _, err := home.readJSON(secretsFile, &s); err != nil {
		return secrets{}, err
	}
	for _, field := range []*string{&s.SQLAdmin, &s.SQLAudit, &s.Internal, &s.Edge, &s.EdgeAPI, &s.Directory, &s.PaymentKey, &s.PaymentWebhook, &s.Customers} {
		if *field == "" {
			*field = randomHex()
		}
	}
	for _, service := range services {
		if s.SQLRoles[service] == "" {
			s.SQLRoles[service] = randomHex()
		}
	}
	for _, region := range regions {
		if s.Redis[region] == "" {
			s.Redis[region] = randomHex()
		}
		if s.Search[region] == "" {
			s.Search[region] = randomHex()
		}
		if len(s.SigningSeeds[region]) == 0 {
			s.SigningSeeds[region] = randomBytes()
		}
	}
	return s, home.writeJSON(secretsFile, s)
}

// jwks publishes every region's public key.
func (s secrets) jwks() (string, error) {
	var set auth.KeySet
	for region, seed := range s.SigningSeeds {
		signer, err := auth.NewSigner(region, seed)
		if err != nil {
			return "", err
		}
		set.Keys = append(set.Keys, signer.PublicKey())
	}
	document, err := json.Marshal(set)
	if err != nil {
		return "", fmt.Errorf("encode the JWKS: %w", err)
	}
	return string(document), nil
}

// Token mints a bearer token that the copy of this home accepts.
func Token(home Home, role string, lifetime time.Duration) (string, error) {
	return TokenFor(home, "operator", role, lifetime)
}

// TokenFor mints a bearer token of a subject.
func TokenFor(home Home, subject, role string, lifetime time.Duration) (string, error) {
	var s secrets
	found, err := home.readJSON(secretsFile, &s)
	if err != nil {
		return "", err
	}
	for region, seed := range s.SigningSeeds {
		signer, err := auth.NewSigner(region, seed)
		if err != nil {
			return "", err
		}
		return signer.Mint(subject, role, time.Now(), lifetime)
	}
	return "", fmt.Errorf("there is no running copy's key in %s (found a secrets file: %t): run `meridian up`", home.Dir(), found)
}

func randomHex() string { return hex.EncodeToString(randomBytes()) }

func randomBytes() []byte {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails: crypto/rand ends the process instead
	return raw
}
