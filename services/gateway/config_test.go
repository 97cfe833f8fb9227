package gateway

import (
	"maps"
	"testing"

	"github.com/meridian-store/meridian/kit"
)

func TestConfig_ReadsPeers(t *testing.T) {
	t.Parallel()
	read := func(peers string) (Config, error) {
		return kit.ReadConfig[Config](t.Context(), func(name string) (string, bool) { return peers, name == "MERIDIAN_PEERS" })
	}
	for given, want := range map[string]map[string]string{
		"":                              nil,
		"eu-west=http://127.0.0.1:8084": {"eu-west": "http://127.0.0.1:8084"},
		"eu-west=http://127.0.0.1:8084,us-east=http://127.0.0.1:8085": {
			"eu-west": "http://127.0.0.1:8084", "us-east": "http://127.0.0.1:8085",
		},
	} {
		if config, err := read(given); err != nil || !maps.Equal(config.Peers, want) {
			t.Errorf("%q: got %v, %v", given, config.Peers, err)
		}
	}
	for _, wrong := range []string{"eu-west", "eu-west=127.0.0.1:8084", "eu-west=ftp://127.0.0.1"} {
		if _, err := read(wrong); err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
}
