package command

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
)

// region holds the verbs about one region. `meridian region NAME` alone runs it in this process.
type region struct {
	Run              regionRun `cmd:"" default:"withargs" help:"Run all services of one region in this process."`
	localRegionVerbs           //nolint:unused // empty in production
}

type regionRun struct {
	Name string `arg:"" help:"The region's name, such as eu-west."`
}

// Run runs all services of a region until it is interrupted. What they need is in their environment (see docs/operating.md).
func (r *regionRun) Run(e *env) error { return runServices(e, r.Name) }

type service struct {
	Name   string `arg:"" help:"The service's name, such as catalog."`
	Region string `required:"" help:"The region it runs in."`
}

// Run runs one service until it is interrupted.
func (s *service) Run(e *env) error { return runServices(e, s.Region, s.Name) }

func runServices(e *env, regionName string, names ...string) error {
	own, all, err := e.regionNamed(regionName)
	if err != nil {
		return err
	}
	definitions, err := cluster.Select(names...)
	if err != nil {
		return err
	}
	return cluster.Run(e.ctx, cluster.Config{
		Region: own.Region, Regions: regions.ForServices(all), Services: definitions, LookupEnv: os.LookupEnv, LogTo: e.serviceLog,
	})
}

// serviceLog opens a service's log file below MERIDIAN_LOG_DIR; without it the log goes to standard error.
func (e *env) serviceLog(service string) (io.Writer, error) {
	dir := os.Getenv("MERIDIAN_LOG_DIR")
	if dir == "" {
		return e.err, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the log folder: %w", err)
	}
	return os.OpenFile(filepath.Join(dir, service+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}
