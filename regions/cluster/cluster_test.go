package cluster_test

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
)

// With nothing but the variables that all services share, a service starts or names a variable of its own in one line.
func TestServices_NameTheVariableThatIsMissing(t *testing.T) {
	t.Parallel()
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := auth.NewSigner(all[0].Name, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := json.Marshal(auth.KeySet{Keys: []auth.Key{signer.PublicKey()}})
	if err != nil {
		t.Fatal(err)
	}
	const nowhere = "127.0.0.1:1"
	complete := 0
	for _, definition := range cluster.Services() {
		_, err := kit.Describe(context.Background(), definition, kit.Options{
			Region: all[0].Region, Regions: regions.ForServices(all), LogTo: io.Discard,
			LookupEnv: func(string) (string, bool) { return "", false },
			Env: kit.Environment{
				ListenHost: "127.0.0.1", LogLevel: "error", JWKS: string(jwks), ConsulAddress: nowhere, RedisAddress: nowhere,
				Brokers: []string{nowhere}, InternalSecret: secret.New("internal"),
				SQLURL: secret.New("postgres://none@" + nowhere + "/none?sslmode=disable"),
			},
		})
		switch {
		case err == nil:
			complete++
		case !strings.Contains(err.Error(), "MERIDIAN_") || strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: %v", definition.Name, err)
		}
	}
	if total := len(cluster.Services()); complete == 0 || complete == total {
		t.Errorf("%d of %d services need nothing of their own", complete, total)
	}
}

func TestNames_AreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	names, listed := slices.Sorted(slices.Values(cluster.Names())), slices.Sorted(slices.Values(contract.ServiceNames()))
	if !slices.Equal(names, listed) {
		t.Errorf("the cluster runs %v, the contract lists %v", names, listed)
	}
}
