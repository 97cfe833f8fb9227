package kit_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestStart_NamesEveryMissingVariable(t *testing.T) {
	t.Parallel()
	definition := kit.Definition{Name: "echo", Schema: &sqldb.Schema{}, Redis: kit.Required, Broker: kit.Required}
	_, err := kit.Start(t.Context(), definition, kit.Options{LogTo: io.Discard})
	if err == nil {
		t.Fatal("a service without an environment started")
	}
	for _, name := range []string{
		"MERIDIAN_CONSUL_ADDRESS", "MERIDIAN_JWKS", "MERIDIAN_INTERNAL_SECRET", "MERIDIAN_SQL_URL_ECHO", "MERIDIAN_REDIS_ADDRESS",
		"MERIDIAN_BROKERS",
	} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not in %q", name, err)
		}
	}
}

// A service that does not declare an engine is not told its address; an optional engine that is down keeps no service from starting.
func TestStart_HandsOverDeclaredEnginesOnly(t *testing.T) {
	t.Parallel()
	var base *kit.Base
	definition := kit.Definition{Name: "echo", Redis: kit.Optional, New: func(
		_ context.Context, given *kit.Base, _ kit.Lookup,
	) (kit.Service, error) {
		base = given
		return loops{}, nil
	}}
	s := kittest.Start(t, definition)
	s.Env.RedisAddress, s.Env.RedisPassword, s.Env.Brokers = "127.0.0.1:1", secret.New("password"), []string{"127.0.0.1:1"}
	s.Restart(t)
	if base.Env.RedisAddress != "127.0.0.1:1" || base.Redis != nil {
		t.Errorf("optional Redis: address %q, client %v", base.Env.RedisAddress, base.Redis)
	}
	if len(base.Env.Brokers) != 0 {
		t.Errorf("the undeclared broker's addresses are %v", base.Env.Brokers)
	}
}
