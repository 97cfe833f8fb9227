package inventory

import "time"

// Config is the inventory service's own configuration; no variable sets it.
type Config struct {
	// sweepEvery is how often expired holds are looked for.
	sweepEvery time.Duration
	// neighbourGrace is how long another region's expired hold is left to that region's own sweeper.
	neighbourGrace time.Duration
	// extension is how much longer a hold lasts whose charge stands.
	extension time.Duration
	// bandsEvery is how often every SKU's availability is compared with its stock, for changes that a process that died did not announce.
	bandsEvery time.Duration
}

// SetDefaults sets what no variable sets.
func (c *Config) SetDefaults() {
	*c = Config{sweepEvery: 2 * time.Second, neighbourGrace: 2 * time.Minute, extension: 5 * time.Minute, bandsEvery: 10 * time.Minute}
}

// Validate accepts every configuration: the times are constants.
func (Config) Validate() error { return nil }
