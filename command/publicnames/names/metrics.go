package names

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/local/emulator"
)

// own leads the names of our metrics; others are those of the Go runtime.
const own = "meridian_"

// metrics lists what the services and the edge on this machine export, with labels.
func metrics(_ context.Context, to *list) error {
	all, err := services()
	if err != nil {
		return err
	}
	for _, service := range all {
		for _, desc := range service.Metrics {
			if err := metric(desc, to); err != nil {
				return err
			}
		}
	}
	registry := prometheus.NewRegistry()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if _, err := emulator.New(emulator.Config{Listen: nowhere, Registry: registry, Log: log}); err != nil {
		return err
	}
	found := make(chan *prometheus.Desc)
	go func() {
		defer close(found)
		registry.Describe(found)
	}()
	for desc := range found {
		if failed := metric(desc, to); failed != nil {
			err = failed
		}
	}
	return err
}

// descriptor is how the client writes a descriptor, which has no accessors.
var descriptor = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", .* constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)

func metric(desc *prometheus.Desc, to *list) error {
	parts := descriptor.FindStringSubmatch(desc.String())
	if parts == nil {
		return fmt.Errorf("unknown form of a metric's descriptor: %s", desc)
	}
	name, constant, variable := parts[1], parts[2], parts[3]
	if !strings.HasPrefix(name, own) {
		return nil
	}
	labels := strings.Trim(constant+","+variable, ",")
	if labels != "" {
		name += "{" + labels + "}"
	}
	to.add("metric", name)
	return nil
}
