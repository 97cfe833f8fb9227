package kit_test

import (
	"maps"
	"testing"

	"github.com/meridian-store/meridian/kit"
)

func TestPeersAreReadFromTheEnvironment(t *testing.T) {
	t.Parallel()
	for given, wanted := range map[string]map[string]string{
		"":                              nil,
		"eu-west=http://127.0.0.1:8084": {"eu-west": "http://127.0.0.1:8084"},
		"eu-west=http://127.0.0.1:8084,us-east=http://127.0.0.1:8085": {"eu-west": "http://127.0.0.1:8084", "us-east": "http://127.0.0.1:8085"},
	} {
		env, err := kit.LoadEnvironment(t.Context(), "gateway", func(name string) (string, bool) { return given, name == "MERIDIAN_PEERS" })
		if err != nil || !maps.Equal(env.Peers, wanted) {
			t.Errorf("%q is read as %v (%v)", given, env.Peers, err)
		}
	}
	if _, err := kit.LoadEnvironment(t.Context(), "gateway", func(name string) (string, bool) { return "eu-west", name == "MERIDIAN_PEERS" }); err == nil {
		t.Error("a peer without a URL was taken")
	}
}
