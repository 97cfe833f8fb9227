package names

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/command/publicnames/fields"
	"github.com/meridian-store/meridian/command/publicnames/source"
	"github.com/meridian-store/meridian/regions"
)

// regionFiles lists the keys of a region's file.
func regionFiles(_ context.Context, to *list) error {
	for _, key := range fields.Paths(reflect.TypeFor[regions.Region](), "yaml") {
		to.add("region-key", key)
	}
	return nil
}

// fromSource lists what no registry knows, and compares the listed metrics with the source.
func fromSource(root string, to *list) error {
	read, err := source.Read(root)
	if err != nil {
		return err
	}
	for kind, names := range map[string][]string{
		"environment": read.Variables(), "program-path": read.Routes(), "problem-field": read.ProblemMembers(),
	} {
		for _, name := range names {
			to.add(kind, name)
		}
	}
	return checkMetrics(read, to)
}

// checkMetrics refuses a metric of the source that the registries did not list, since its labels are not known.
func checkMetrics(read *source.Source, to *list) error {
	for _, name := range read.Metrics() {
		listed := func(line string) bool {
			return line == "metric "+name || strings.HasPrefix(line, "metric "+name+"{")
		}
		if !slices.ContainsFunc(to.lines, listed) {
			return fmt.Errorf("metric %s is in the source, but no service described here registers it", name)
		}
	}
	return nil
}
