package names

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"
	"sync"

	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
)

// described is a service with its surface.
type described struct {
	kit.Definition
	kit.Description
}

// services describes every service of a region once. Where an engine would be, nothing answers.
var services = sync.OnceValues(func() ([]described, error) {
	all, err := regions.Shipped()
	if err != nil {
		return nil, err
	}
	lookup, err := environment(all[0].Name)
	if err != nil {
		return nil, err
	}
	var found []described
	for _, definition := range cluster.Services() {
		env, err := kit.LoadEnvironment(context.Background(), definition.Name, lookup)
		if err != nil {
			return nil, err
		}
		surface, err := kit.Describe(context.Background(), definition, kit.Options{
			Region: all[0].Region, Regions: regions.ForServices(all), LogTo: io.Discard, Env: env, LookupEnv: lookup,
		})
		if err != nil {
			return nil, err
		}
		found = append(found, described{definition, surface})
	}
	return found, nil
})

// nowhere is an address where nothing listens.
const nowhere = "127.0.0.1:1"

// environment satisfies every service, with keys that are of no use elsewhere.
func environment(region string) (kit.Lookup, error) {
	seed := make([]byte, 32)
	signer, err := auth.NewSigner(region, seed)
	if err != nil {
		return nil, err
	}
	jwks, err := json.Marshal(auth.KeySet{Keys: []auth.Key{signer.PublicKey()}})
	if err != nil {
		return nil, err
	}
	key := hex.EncodeToString(seed)
	variables := map[string]string{
		"MERIDIAN_LOG_LEVEL": "error", "MERIDIAN_PPROF": "true", "MERIDIAN_JWKS": string(jwks),
		"MERIDIAN_REDIS_ADDRESS": nowhere, "MERIDIAN_BROKERS": nowhere, "MERIDIAN_CONSUL_ADDRESS": nowhere,
		"MERIDIAN_INTERNAL_SECRET": key, "MERIDIAN_EDGE_SECRET": key, "MERIDIAN_SIGNING_SEED": key,
		"MERIDIAN_DIRECTORY_KEY": key, "MERIDIAN_CUSTOMER_KEY": key,
		"MERIDIAN_PAYMENT_KEY": "sk_test_none", "MERIDIAN_PAYMENT_URL": "http://" + nowhere,
		"MERIDIAN_TYPESENSE_URL": "http://" + nowhere, "MERIDIAN_TYPESENSE_KEY": "none",
		"MERIDIAN_CLOUDFLARE_URL": "http://" + nowhere, "MERIDIAN_CLOUDFLARE_TOKEN": "none", "MERIDIAN_CLOUDFLARE_ZONE": "none",
	}
	return func(name string) (string, bool) {
		if strings.HasPrefix(name, "MERIDIAN_SQL_URL_") {
			return "postgres://none@" + nowhere + "/none?sslmode=disable", true
		}
		value, found := variables[name]
		return value, found
	}, nil
}
