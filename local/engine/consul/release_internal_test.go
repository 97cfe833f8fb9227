package consul

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsKnowTheirRelease(t *testing.T) {
	t.Parallel()
	for output, wants := range map[string]struct {
		release release
		grpcTLS bool
	}{
		"Consul v1.12.9\nProtocol 2 spoken by default": {release{1, 12}, false},
		"Consul v1.14.0-dev (abc)\nRevision":           {release{1, 14}, true},
		"Consul v1.20.1\n":                             {release{1, 20}, true},
		"Consul v2.0.0":                                {release{2, 0}, true},
	} {
		got, err := parseRelease(output)
		if err != nil {
			t.Errorf("%q: %v", output, err)
			continue
		}
		if diff := cmp.Diff(wants.release, got, cmp.AllowUnexported(release{})); diff != "" {
			t.Errorf("%q: %s", output, diff)
		}
		ports, ok := settings(Config{Datacenter: "us-east"}, got)["ports"].(map[string]int)
		if _, has := ports["grpc_tls"]; !ok || has != wants.grpcTLS {
			t.Errorf("%q: grpc_tls is set: %v, want %v", output, has, wants.grpcTLS)
		}
	}
	if got, err := parseRelease("command not found"); err == nil {
		t.Errorf("read %+v from an error", got)
	}
}

func FuzzParseRelease(f *testing.F) {
	f.Add("Consul v1.12.9\n")
	f.Add("Consul v99999999999999999999.1.")
	f.Fuzz(func(t *testing.T, output string) {
		got, err := parseRelease(output)
		if err == nil && (got.major < 0 || got.minor < 0) {
			t.Errorf("%q: %+v", output, got)
		}
	})
}
