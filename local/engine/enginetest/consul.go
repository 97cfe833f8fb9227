package enginetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/local/engine/consul"
	"github.com/meridian-store/meridian/local/process"
)

var consulOnce = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("MERIDIAN_TEST_CONSUL"); given != "" {
		return given, nil
	}
	config := consul.Config{Name: "test/consul", Datacenter: "test", DieWithParent: true}
	err := binary.start(4, func(folder string, port int) (process.Spec, error) {
		config.Ports = consul.Ports{HTTP: port, SerfLAN: port + 1, SerfWAN: port + 2, Server: port + 3}
		config.DataDir = filepath.Join(folder, "consul")
		config.LogFile = filepath.Join(folder, "consul.log")
		return consul.Spec(context.Background(), config)
	})
	return config.Address(), err
})

// Consul returns the address (host:port) of the test binary's Consul server, whose
// datacenter is "test". All of its tests share the server: name services by [Prefix].
func Consul(t testing.TB) string {
	t.Helper()
	address, err := consulOnce()
	if err != nil {
		t.Fatal(err)
	}
	return address
}
