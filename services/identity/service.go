package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/auth"
	"github.com/meridian-store/meridian/services/kit/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// sweepBatch is how many expired sessions one statement deletes.
const sweepBatch = 500

// Definition is the identity service.
func Definition() kit.Definition { return definitionWith(10 * time.Minute) }

func definitionWith(sweepEvery time.Duration) kit.Definition {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return kit.Definition{
		Name: contract.ServiceIdentity, UsesRedis: true, RedisKeys: []string{loginPrefix + "<address_hash>"},
		Schema: &sqldb.Schema{
			Migrations: folder, RegionalByRow: []string{"users", "user_addresses", "sessions"}, Global: []string{"login_directory"},
		},
		Setup: func(_ context.Context, base *kit.Base) error {
			s, err := newService(base)
			if err != nil {
				return err
			}
			s.routes(base.API)
			base.Loop("sweep", kit.Every(sweepEvery, s.sweep))
			return nil
		},
	}
}

// service is one running copy of the identity service.
type service struct {
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
}

func newService(base *kit.Base) (*service, error) {
	signer, keys, err := signing(base)
	if err != nil {
		return nil, err
	}
	directoryKey, err := hex.DecodeString(base.Env.DirectoryKey)
	if err != nil || len(directoryKey) < sha256.Size {
		return nil, fmt.Errorf("identity needs MERIDIAN_DIRECTORY_KEY in its environment: at least %d bytes in hexadecimal, the same in every region", sha256.Size)
	}
	logins := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_identity_logins_total", Help: "Attempts to log in by outcome: ok, wrong, throttled, failed.",
	}, []string{"outcome"})
	base.Registry.MustRegister(logins)
	return &service{
		region: base.Region, ids: geo.IDs{Clock: base.Now}, store: newStore(base.DB, base.Regions), passwords: newPasswords(),
		throttle: newThrottle(base.Redis, base.Env.Namespace, base.Log), signer: signer, keys: keys, directoryKey: directoryKey,
		neighbours: neighbours{client: base.Client}, now: base.Now, log: base.Log, logins: logins,
	}, nil
}

// signing makes the region's signer, and tries it: tokens that no region verifies must not be handed out.
func signing(base *kit.Base) (*auth.Signer, auth.KeySet, error) {
	var keys auth.KeySet
	if err := json.Unmarshal([]byte(base.Env.JWKS), &keys); err != nil {
		return nil, keys, fmt.Errorf("read the JWKS: %w", err)
	}
	seed, err := hex.DecodeString(base.Env.SigningSeed)
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
func (s *service) hashAddress(email string) []byte {
	mac := hmac.New(sha256.New, s.directoryKey)
	mac.Write([]byte(normalise(email)))
	return mac.Sum(nil)
}

// sweep deletes the region's expired sessions.
func (s *service) sweep(ctx context.Context) error {
	for {
		n, err := s.store.expire(ctx, s.region.Name, s.now(), sweepBatch)
		if err != nil || n < sweepBatch {
			return err
		}
	}
}
