package launcher

import (
	"slices"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
)

// TestAProcessIsToldItsOwnSecretsAlone looks at what each service's process finds in its environment when every service is one.
func TestAProcessIsToldItsOwnSecretsAlone(t *testing.T) {
	t.Parallel()
	home, err := OpenHome(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	l := &launcher{Options: Options{Home: home, Regions: all}, ports: Ports{Base: DefaultBasePort}}
	if l.secrets, err = loadSecrets(home, cluster.Names(), l.regionNames()); err != nil {
		t.Fatal(err)
	}
	owners := map[string][]string{
		l.secrets.Redis["us-east"]:  {"cart", "inventory", "identity", "search", "gateway"},
		l.secrets.Search["us-east"]: {"search"},
		l.secrets.Edge:              {"gateway"}, l.secrets.Directory: {"identity"}, l.secrets.SQLAdmin: nil,
	}
	for _, service := range cluster.Names() {
		owners[l.secrets.SQLRoles[service]] = []string{service}
	}
	for _, service := range cluster.Names() {
		env := strings.Join(l.serviceEnv(0, all[slices.IndexFunc(all, func(r regions.Region) bool { return r.Name == "us-east" })], []string{service}), "\n")
		for secret, allowed := range owners {
			if strings.Contains(env, secret) && !slices.Contains(allowed, service) {
				t.Errorf("%s is told a secret of %v", service, allowed)
			}
		}
		if !strings.Contains(env, "MERIDIAN_PORT_"+strings.ToUpper(service)+"=") || !strings.Contains(env, l.secrets.Internal) {
			t.Errorf("%s is not told its port, or how services know each other", service)
		}
	}
	together := strings.Join(l.serviceEnv(0, all[0], cluster.Names()), "\n")
	for _, name := range []string{"MERIDIAN_SQL_URL_ORDER=", "MERIDIAN_EDGE_SECRET=", "MERIDIAN_SIGNING_SEED=", "MERIDIAN_REDIS_PASSWORD="} {
		if !strings.Contains(together, name) {
			t.Errorf("a region's one process lacks %s", name)
		}
	}
}
