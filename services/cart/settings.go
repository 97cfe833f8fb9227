package cart

import (
	"context"
	"fmt"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/meridian-store/meridian/contract"
)

// settings are the sweeper's, and those of a region that comes back.
type settings struct {
	// Idle is how long a cart lies unused before it is backed up in SQL.
	Idle time.Duration `env:"MERIDIAN_CART_IDLE, default=30m"`
	// Abandoned is how long a cart lies unused, once it is backed up, before it is announced as abandoned, all in all.
	Abandoned time.Duration `env:"MERIDIAN_CART_ABANDONED, default=1h"`
	// Sweep is how often both are looked for.
	Sweep time.Duration `env:"MERIDIAN_CART_SWEEP, default=1m"`
	// Rejoin is how long a region that comes back may take to take in what others made of its carts before it serves all the same.
	Rejoin time.Duration `env:"MERIDIAN_CART_REJOIN, default=30s"`
}

// loadSettings reads the settings from the environment; the defaults are those that docs/architecture.md promises.
func loadSettings(ctx context.Context) (settings, error) {
	var set settings
	if err := envconfig.Process(ctx, &set); err != nil {
		return settings{}, fmt.Errorf("read the settings of carts: %w", err)
	}
	return set, set.validate()
}

func (s settings) validate() error {
	switch {
	case s.Idle < 0 || s.Sweep <= 0:
		return contract.Invalid("MERIDIAN_CART_SWEEP", "carts are swept at an interval above 0, and none is idle for less than 0")
	case s.Rejoin < 0:
		return contract.Invalid("MERIDIAN_CART_REJOIN", "is a time that has passed already")
	case s.Abandoned < s.Idle:
		return contract.Invalid("MERIDIAN_CART_ABANDONED", "is shorter than MERIDIAN_CART_IDLE, after which a cart rests")
	}
	return nil
}
