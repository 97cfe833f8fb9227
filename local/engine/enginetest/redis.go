package enginetest

import (
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/local/engine/redis"
	"github.com/meridian-store/meridian/local/process"
)

type redisServer struct{ address, password string }

var redisOnce = sync.OnceValues(func() (redisServer, error) {
	if given := os.Getenv("MERIDIAN_TEST_REDIS_URL"); given != "" {
		address, err := url.Parse(given)
		if err != nil || address.Scheme != "redis" || address.Port() == "" {
			return redisServer{}, errors.New("MERIDIAN_TEST_REDIS_URL is not of the form redis://:password@host:port")
		}
		password, _ := address.User.Password()
		return redisServer{address: address.Host, password: password}, nil
	}
	config := redis.Config{
		Name:          "test/redis",
		Password:      rand.Text(),
		Volatile:      true,
		DieWithParent: true,
	}
	err := binary.start(1, func(folder string, port int) (process.Spec, error) {
		config.Port = port
		config.DataDir = filepath.Join(folder, "redis")
		config.LogFile = filepath.Join(folder, "redis.log")
		return redis.Spec(config)
	})
	return redisServer{address: config.Address(), password: config.Password}, err
})

// Redis returns the address (host:port) and the password of the test binary's Redis.
// All of its tests share the server: give keys a [Prefix].
func Redis(t testing.TB) (address, password string) {
	t.Helper()
	server, err := redisOnce()
	if err != nil {
		t.Fatal(err)
	}
	return server.address, server.password
}
