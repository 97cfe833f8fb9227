//go:build !production

package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/local/emulator"
	"github.com/meridian-store/meridian/local/emulator/control"
	"github.com/meridian-store/meridian/local/launcher"
)

const (
	apiReadTimeout = 10 * time.Second
	apiStop        = 5 * time.Second
)

type edgeEngine struct {
	Listen  string   `required:"" help:"host:port for shoppers."`
	Admin   string   `required:"" help:"host:port for /health, /ready and /metrics."`
	API     string   `required:"" help:"host:port where it is told its rules and what to purge, as Cloudflare's API is."`
	State   string   `help:"File that keeps what it was told; forgotten when absent." type:"path"`
	Zone    string   `required:"" help:"Id of the zone that it stands for."`
	Account string   `required:"" help:"Id of the account."`
	Plan    string   `help:"The zone's plan, which bounds rules and purges." enum:"free,pro,business,enterprise" default:"enterprise"`
	Link    []string `help:"Where the way between two regions begins, as <from>=<to>=<host:port>; repeat for each. Edge locations near <from> ask <to>'s gateway there."`
	Links   string   `help:"realistic makes the ways between locations and regions as long as the distance asks." enum:"none,realistic" default:"none"`
	Secret  string   `env:"MERIDIAN_EDGE_SECRET" required:"" help:"Proves to gateways that a request came through the edge."`
	Token   string   `env:"MERIDIAN_EDGE_API_TOKEN" required:"" help:"What callers of --api present (better given by the environment)."`
	Pprof   bool     `env:"MERIDIAN_PPROF" help:"Give CPU profiles at --admin, /debug/pprof/profile."`
}

// Run serves until it is interrupted.
func (d *edgeEngine) Run(e *env) error {
	links, err := d.links()
	if err != nil {
		return err
	}
	log := e.logger("edge")
	edge, err := emulator.New(emulator.Config{
		Listen: d.Listen, AdminListen: d.Admin, OriginSecret: d.Secret, Profiling: d.Pprof, Links: links, Distant: d.Links == string(launcher.LinksRealistic),
		Log: log, Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	told, err := control.New(control.Config{
		Token: d.Token, Zone: d.Zone, Account: d.Account, Plan: cloudflare.Plan(d.Plan), StateFile: d.State, Edge: edge, Log: log,
	})
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(e.ctx, "tcp", d.API)
	if err != nil {
		return fmt.Errorf("listen for the edge's API: %w", err)
	}
	api := &http.Server{Handler: told.Handler(), ReadTimeout: apiReadTimeout, ReadHeaderTimeout: apiReadTimeout}
	served := make(chan error, 1)
	go func() { served <- api.Serve(listener) }()
	if err := edge.Start(e.ctx); err != nil {
		return errors.Join(err, api.Close())
	}
	select {
	case <-e.ctx.Done():
	case err = <-served:
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), apiStop)
	defer cancel()
	return errors.Join(err, api.Shutdown(stopping), edge.Stop(context.WithoutCancel(e.ctx)))
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
