package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/kit/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// sweepBatch is how many expired sessions one statement deletes.
const sweepBatch = 500

// Definition describes the identity service.
func Definition() kit.Definition {
	return kit.Definition{
		Name: contract.ServiceIdentity, Redis: kit.Required, RedisKeys: []string{loginPrefix + "<address_hash>"},
		Schema: &sqldb.Schema{
			Migrations:    sqldb.Embedded(migrations),
			RegionalByRow: []string{"users", "user_addresses", "sessions"}, Global: []string{"login_directory"},
		},
		New: kit.Configured(New),
	}
}

// Service is one running copy of the identity service.
type Service struct {
	region       contract.Region
	ids          geo.IDs
	store        *store
	passwords    *passwords
	throttle     *throttle
	signer       *auth.Signer
	keys         auth.KeySet
	directoryKey []byte
	neighbours   neighbours
	now          func() time.Time
	log          *slog.Logger
	logins       *prometheus.CounterVec
	sweepEvery   time.Duration
}

// New makes the identity service.
func New(base *kit.Base, config Config) (*Service, error) {
	signer, keys, err := signing(base, config.SigningSeed)
	if err != nil {
		return nil, err
	}
	directoryKey, err := config.directoryKey()
	if err != nil {
		return nil, err
	}
	logins := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_identity_logins_total", Help: "Attempts to log in by outcome: ok, wrong, throttled, failed.",
	}, []string{"outcome"})
	base.Registry.MustRegister(logins)
	return &Service{
		region: base.Region, ids: geo.IDs{Clock: base.Now}, store: newStore(base.DB, base.Regions), passwords: newPasswords(),
		throttle: newThrottle(base.Redis, base.Env.Namespace, base.Log), signer: signer, keys: keys, directoryKey: directoryKey,
		neighbours: neighbours{client: base.Client}, now: base.Now, log: base.Log, logins: logins, sweepEvery: config.sweepEvery,
	}, nil
}

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop {
	return []kit.Loop{{Name: "sweep sessions", Run: kit.Every(s.sweepEvery, s.sweep)}}
}

// signing makes the region's signer, and tries it: tokens that no region verifies must not be handed out.
func signing(base *kit.Base, signingSeed secret.Secret) (*auth.Signer, auth.KeySet, error) {
	var keys auth.KeySet
	if err := json.Unmarshal([]byte(base.Env.JWKS), &keys); err != nil {
		return nil, keys, fmt.Errorf("read the JWKS: %w", err)
	}
	seed, err := hex.DecodeString(signingSeed.Current())
	if err != nil || len(seed) == 0 {
		return nil, keys, fmt.Errorf("identity needs MERIDIAN_SIGNING_SEED in its environment: the region's Ed25519 seed in hexadecimal")
	}
	signer, err := auth.NewSigner(base.Region.Name, seed)
	if err != nil {
		return nil, keys, err
	}
	token, err := signer.Mint("trial", contract.RoleShopper, base.Now(), time.Minute)
	if err != nil {
		return nil, keys, err
	}
	if _, err := base.Verifier.Verify("Bearer " + token); err != nil {
		return nil, keys, fmt.Errorf("MERIDIAN_SIGNING_SEED is not the half of the key %q in MERIDIAN_JWKS", base.Region.Name)
	}
	return signer, keys, nil
}

// hashAddress is what the login directory knows an address by. Without the key nobody can test whether an address is in it.
func (s *Service) hashAddress(email string) []byte {
	mac := hmac.New(sha256.New, s.directoryKey)
	mac.Write([]byte(normalise(email)))
	return mac.Sum(nil)
}

// sweep deletes the region's expired sessions.
func (s *Service) sweep(ctx context.Context) error {
	for {
		n, err := s.store.expire(ctx, s.region.Name, s.now(), sweepBatch)
		if err != nil || n < sweepBatch {
			return err
		}
	}
}
