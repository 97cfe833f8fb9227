package command

import (
	"log/slog"
	"os"

	"github.com/meridian-store/meridian/regions/engine/broker"
)

type engines struct {
	Postgres postgresEngine `cmd:"" help:"Run the SQL server."`
	Redis    redisEngine    `cmd:"" help:"Run a region's Redis."`
	Consul   consulEngine   `cmd:"" help:"Run a region's Consul server."`
	Broker   brokerEngine   `cmd:"" help:"Run a region's event broker (kfake, which speaks Kafka's protocol)."`
	Edge     edgeEngine     `cmd:"" help:"Run the edge on this machine."`
	Links    linksEngine    `cmd:"" help:"Run the links between regions (toxiproxy), which can be delayed and cut."`
}

type brokerEngine struct {
	Address string `required:"" help:"host:port to listen on."`
	Data    string `required:"" help:"Folder that keeps its records." type:"path"`
}

// Run serves until it is interrupted.
func (b *brokerEngine) Run(e *env) error {
	return broker.Run(e.ctx, broker.Config{Address: b.Address, DataDir: b.Data, Logger: e.logger("broker")})
}

func (e *env) logger(name string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("engine", name)
}
