package command

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/edge/emulator"
	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/regions/engine/broker"
	"github.com/meridian-store/meridian/regions/local"
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

type edgeEngine struct {
	Listen string   `required:"" help:"host:port for shoppers."`
	Admin  string   `required:"" help:"host:port for /health, /ready and /metrics."`
	Origin []string `required:"" help:"A region's gateway as <region>=<url>; repeat for each."`
	Link   []string `help:"Where the way between two regions begins, as <from>=<to>=<host:port>; repeat for each. Edge locations near <from> ask <to>'s gateway there."`
	Links  string   `help:"realistic makes the ways between locations and regions as long as the distance asks." enum:"none,realistic" default:"none"`
	Secret string   `env:"MERIDIAN_EDGE_SECRET" required:"" help:"Proves to gateways that a request came through the edge."`
	Pprof  bool     `env:"MERIDIAN_PPROF" help:"Give CPU profiles at --admin, /debug/pprof/profile."`
}

// Run serves until it is interrupted.
func (d *edgeEngine) Run(e *env) error {
	origins, err := d.origins(e)
	if err != nil {
		return err
	}
	rules, err := rule.Default()
	if err != nil {
		return err
	}
	links, err := d.links()
	if err != nil {
		return err
	}
	edge, err := emulator.New(emulator.Config{
		Listen: d.Listen, AdminListen: d.Admin, Origins: origins, Rules: rules, Links: links, Distant: d.Links == string(local.LinksRealistic), OriginSecret: d.Secret, Profiling: d.Pprof,
		Log: e.logger("edge"), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	if err := edge.Start(e.ctx); err != nil {
		return err
	}
	<-e.ctx.Done()
	return edge.Stop(context.WithoutCancel(e.ctx))
}

// links reads where the ways between regions begin.
func (d *edgeEngine) links() (map[string]map[string]string, error) {
	links := make(map[string]map[string]string)
	for _, text := range d.Link {
		parts := strings.Split(text, "=")
		if len(parts) != 3 || slices.Contains(parts, "") {
			return nil, fmt.Errorf("--link %q is not <from>=<to>=<host:port>", text)
		}
		if links[parts[0]] == nil {
			links[parts[0]] = make(map[string]string)
		}
		links[parts[0]][parts[1]] = parts[2]
	}
	return links, nil
}

func (d *edgeEngine) origins(e *env) ([]emulator.Origin, error) {
	var origins []emulator.Origin
	for _, pair := range d.Origin {
		name, url, found := strings.Cut(pair, "=")
		if !found {
			return nil, fmt.Errorf("--origin %q is not <region>=<url>", pair)
		}
		region, _, err := e.regionNamed(name)
		if err != nil {
			return nil, err
		}
		origins = append(origins, emulator.Origin{Region: name, Point: region.Point, URL: url, Resident: region.Resident, Refuses: region.Refuses})
	}
	return origins, nil
}

func (e *env) logger(name string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("engine", name)
}
