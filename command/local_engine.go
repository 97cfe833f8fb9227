//go:build !production

package command

import (
	"log/slog"
	"os"

	"github.com/meridian-store/meridian/local/engine/broker"
	"github.com/meridian-store/meridian/local/engine/search"
)

type engines struct {
	Postgres postgresEngine `cmd:"" help:"Run the SQL server."`
	Redis    redisEngine    `cmd:"" help:"Run a region's Redis."`
	Consul   consulEngine   `cmd:"" help:"Run a region's Consul server."`
	Broker   brokerEngine   `cmd:"" help:"Run a region's event broker (kfake, which speaks Kafka's protocol)."`
	Search   searchEngine   `cmd:"" help:"Run a region's search engine, which speaks Typesense's API."`
	Edge     edgeEngine     `cmd:"" help:"Run the edge on this machine."`
	Links    linksEngine    `cmd:"" help:"Run the links between regions (toxiproxy), which can be delayed and cut."`
}

type brokerEngine struct {
	Address string `required:"" help:"host:port to listen on."`
	Data    string `required:"" help:"Folder that keeps its records." type:"path"`
}

type searchEngine struct {
	Address string `required:"" help:"host:port to listen on."`
	Data    string `required:"" help:"Folder that keeps its documents." type:"path"`
	Key     string `required:"" env:"MERIDIAN_TYPESENSE_KEY" help:"The admin key, which clients present (better given by the environment)."`
}

// Run serves until it is interrupted.
func (s *searchEngine) Run(e *env) error {
	return search.Run(e.ctx, search.Config{Address: s.Address, DataDir: s.Data, AdminKey: s.Key, Logger: e.logger("search")})
}

// Run serves until it is interrupted.
func (b *brokerEngine) Run(e *env) error {
	return broker.Run(e.ctx, broker.Config{Address: b.Address, DataDir: b.Data, Logger: e.logger("broker")})
}

func (e *env) logger(name string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("engine", name)
}
