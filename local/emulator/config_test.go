package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/emulator"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	for _, tc := range []struct {
		name   string
		damage func(*emulator.Config)
		want   string
	}{
		{"no listener", func(c *emulator.Config) { c.Listen = "" }, "Listen"},
		{"no rules", func(c *emulator.Config) { c.Rules = nil }, "rule.Default()"},
		{"no origins", func(c *emulator.Config) { c.Origins = nil }, "Origins"},
		{"an unknown default location", func(c *emulator.Config) { c.DefaultLocation = "XXX" }, "XXX"},
		{"a region twice", func(c *emulator.Config) { c.Origins[1].Region = c.Origins[0].Region }, `"us-east"`},
		{"an origin off the globe", func(c *emulator.Config) { c.Origins[0].Point = geo.Point{Latitude: 100} }, "latitude"},
		{"an origin with a path", func(c *emulator.Config) { c.Origins[0].URL += "/api" }, "http://host:port"},
		{"an https origin", func(c *emulator.Config) { c.Origins[0].URL = "https://127.0.0.1:1" }, "http://host:port"},
		{"a password in a URL", func(c *emulator.Config) { c.Origins[0].URL = "http://me:hush@127.0.0.1:1" }, "http://host:port"},
		{"an unknown country", func(c *emulator.Config) { c.Origins[0].Refuses = []string{"UK"} }, `"UK"`},
		{"a negative wait", func(c *emulator.Config) { c.ReturnProbes = -1 }, "ReturnProbes"},
		{"a negative size", func(c *emulator.Config) { c.MaxBytes = -1 }, "MaxBytes"},
		{"a negative timeout", func(c *emulator.Config) { c.ReadTimeout = -time.Second }, "ReadTimeout"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t, gateways)
			tc.damage(&cfg)
			_, err := emulator.New(cfg)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want an error naming %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}

func TestTwoEdgesCannotShareARegistry(t *testing.T) {
	t.Parallel()
	cfg := config(t, threeGateways(t, product))
	cfg.Registry = prometheus.NewRegistry()
	first, err := emulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := emulator.New(cfg); err == nil {
		t.Error("the second edge's metrics were mixed with the first's")
	}
	if err := first.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
