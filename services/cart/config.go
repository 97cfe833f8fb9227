package cart

import (
	"fmt"
	"time"
)

// Config is the cart service's own configuration; docs/architecture.md promises the defaults.
type Config struct {
	// Idle is how long a cart lies unused before it is backed up in SQL.
	Idle time.Duration `env:"MERIDIAN_CART_IDLE, default=30m"`
	// Abandoned is how long a cart lies unused, once it is backed up, before it is announced as abandoned, all in all.
	Abandoned time.Duration `env:"MERIDIAN_CART_ABANDONED, default=1h"`
	// Sweep is how often both are looked for.
	Sweep time.Duration `env:"MERIDIAN_CART_SWEEP, default=1m"`
	// Rejoin is how long a region that comes back may take to take in what others made of its carts before it serves all the same.
	Rejoin time.Duration `env:"MERIDIAN_CART_REJOIN, default=30s"`
}

// Validate returns an error that names the variable at fault.
func (c Config) Validate() error {
	switch {
	case c.Sweep <= 0 || c.Idle < 0:
		return fmt.Errorf("MERIDIAN_CART_SWEEP is %s and MERIDIAN_CART_IDLE is %s: sweep must be > 0 and idle >= 0", c.Sweep, c.Idle)
	case c.Rejoin < 0:
		return fmt.Errorf("MERIDIAN_CART_REJOIN is %s: it must be >= 0", c.Rejoin)
	case c.Abandoned < c.Idle:
		return fmt.Errorf("MERIDIAN_CART_ABANDONED is %s: it must be at least MERIDIAN_CART_IDLE (%s)", c.Abandoned, c.Idle)
	}
	return nil
}
