package journeys_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// The search itself is tested with what it must find, because one that finds nothing passes too.

const plantedMark = "qzxdoorbellward77"

// leaky is what an order's event would be with a personal field.
type leaky struct {
	contract.OrderChange
	Email string `json:"email"`
}

func (s *search) wantFound(t *testing.T, where string) {
	t.Helper()
	if len(s.found()) != 1 || !strings.Contains(s.found()[0], where) {
		t.Errorf("found %q, want the mark in %s (read: %v)", s.found(), where, s.reads)
	}
}

func TestAPersonalFieldOfAnEventIsFoundInABroker(t *testing.T) {
	t.Parallel()
	seeds := enginetest.Broker(t)
	if err := events.EnsureTopics(t.Context(), seeds); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	write := func(data any) {
		value, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: contract.TopicOrders, Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	write(contract.OrderChange{OrderID: "ord_use_1"})
	s := searchFor(marks{"email": plantedMark})
	if err := s.broker(t.Context(), "here", seeds...); err != nil {
		t.Fatal(err)
	}
	if len(s.found()) > 0 || s.reads["records"] != 1 {
		t.Fatalf("without the field: %v, read %v", s.found(), s.reads)
	}
	write(leaky{contract.OrderChange{OrderID: "ord_use_2"}, strings.ToUpper(plantedMark) + "@example.test"})
	if err := s.broker(t.Context(), "here", seeds...); err != nil {
		t.Fatal(err)
	}
	s.wantFound(t, "a record of "+contract.TopicOrders)
}

func TestPersonalDataIsFoundInRedis(t *testing.T) {
	t.Parallel()
	address, password := enginetest.Redis(t)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, Password: password, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for kind, write := range map[string][]string{
		"name": {"SET", "#" + plantedMark, "1"}, "string": {"SET", "#", plantedMark}, "hash": {"HSET", "#", "field", plantedMark},
		"list": {"RPUSH", "#", plantedMark}, "set": {"SADD", "#", plantedMark}, "zset": {"ZADD", "#", "1", plantedMark},
		"stream": {"XADD", "#", "*", "field", plantedMark},
	} {
		key := enginetest.Prefix()
		write[1] = strings.Replace(write[1], "#", key, 1)
		if err := client.Do(t.Context(), client.B().Arbitrary(write...).Build()).Error(); err != nil {
			t.Fatal(err)
		}
		s := searchFor(marks{"email": plantedMark})
		if err := s.redis(t.Context(), kind, address, password); err != nil {
			t.Fatal(err)
		}
		s.wantFound(t, write[1])
		if err := client.Do(t.Context(), client.B().Arbitrary("DEL", write[1]).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPersonalDataIsFoundInConsulAndInFiles(t *testing.T) {
	t.Parallel()
	address := enginetest.Consul(t)
	config := api.DefaultNonPooledConfig()
	config.Address = address
	client, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	key := enginetest.Prefix()
	if _, err := client.KV().Put(&api.KVPair{Key: key, Value: []byte(plantedMark)}, nil); err != nil {
		t.Fatal(err)
	}
	s := searchFor(marks{"email": plantedMark})
	if err := s.consul(t.Context(), "here", address); err != nil {
		t.Fatal(err)
	}
	s.wantFound(t, key)

	folder := t.TempDir()
	for _, form := range append(formsOf(plantedMark), strings.ToUpper(plantedMark)) {
		if err := os.WriteFile(filepath.Join(folder, "a.log"), []byte("before"+form+"after"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := searchFor(marks{"email": plantedMark})
		if err := s.files(folder); err != nil {
			t.Fatal(err)
		}
		s.wantFound(t, "a.log")
	}
}

func TestPersonalDataIsFoundInRowsThatAreHomedElsewhere(t *testing.T) {
	t.Parallel()
	address := enginetest.Postgres(t).NewDatabase(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	run := func(statement string, args ...any) {
		if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE TABLE people (crdb_region TEXT, data JSONB, raw BYTEA)`)
	run(`CREATE TABLE everywhere (raw BYTEA)`)
	run(`INSERT INTO people VALUES ('eu-west', to_jsonb($1::text), $2)`, plantedMark, []byte(plantedMark))
	look := func() *search {
		s := searchFor(marks{"email": plantedMark})
		if err := s.database(t.Context(), "here", address, "eu-west"); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := look(); len(s.found()) > 0 || s.reads["tables"] != 2 {
		t.Errorf("at home: %v, read %v", s.found(), s.reads)
	}
	run(`INSERT INTO everywhere VALUES ($1)`, []byte(plantedMark))
	look().wantFound(t, "everywhere")
	run(`TRUNCATE everywhere`)
	run(`INSERT INTO people VALUES ('us-east', to_jsonb($1::text), NULL)`, plantedMark)
	look().wantFound(t, "people")
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
