package names

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"sync"

	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/auth"
	"github.com/meridian-store/meridian/services/payment"
	"github.com/meridian-store/meridian/services/payment/stripe"
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
	options := kit.Options{Region: all[0].Region, Regions: regions.ForServices(all), LogTo: io.Discard}
	if options.Env, err = environment(all[0].Name); err != nil {
		return nil, err
	}
	var found []described
	for _, definition := range cluster.Services() {
		if definition.Name == contract.ServicePayment {
			// Its own definition takes the provider's key from the process environment.
			provider, err := stripe.New(stripe.Config{SecretKey: "sk_test_none", URL: "http://" + nowhere})
			if err != nil {
				return nil, err
			}
			definition = payment.DefinitionWith(provider)
		}
		surface, err := kit.Describe(context.Background(), definition, options)
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
func environment(region string) (kit.Environment, error) {
	seed := make([]byte, 32)
	signer, err := auth.NewSigner(region, seed)
	if err != nil {
		return kit.Environment{}, err
	}
	jwks, err := json.Marshal(auth.KeySet{Keys: []auth.Key{signer.PublicKey()}})
	if err != nil {
		return kit.Environment{}, err
	}
	key := hex.EncodeToString(seed)
	return kit.Environment{
		ListenHost: "127.0.0.1", LogLevel: "error", Profiling: true, JWKS: string(jwks),
		SQLURL: "postgres://none@" + nowhere + "/none?sslmode=disable", RedisAddress: nowhere,
		Brokers: []string{nowhere}, ConsulAddress: nowhere,
		InternalSecret: key, EdgeSecret: key, SigningSeed: key, DirectoryKey: key, CustomerKey: key,
		TypesenseURL: "http://" + nowhere, TypesenseKey: "none",
		CloudflareURL: "http://" + nowhere, CloudflareToken: "none", CloudflareZone: "none", CloudflarePlan: "free",
	}, nil
}
