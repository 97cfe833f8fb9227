package imports

import "time"

// Config is the imports service's own configuration; no variable sets it.
type Config struct {
	// lookEvery is how often the service looks for work that it was not notified of, such as an import whose worker died.
	lookEvery time.Duration
	// lease is how long a worker that died keeps others away; saveEvery how often the progress is written, which extends the lease.
	lease, saveEvery time.Duration
	// pause is how long an import waits when something that it needs is unavailable.
	pause time.Duration
	// patience is how long the next part of a file may be awaited.
	patience time.Duration
	// memory is how long an import that ended can be read.
	memory time.Duration
}

// SetDefaults sets what no variable sets.
func (c *Config) SetDefaults() {
	*c = Config{
		lookEvery: time.Second, lease: 10 * time.Second, saveEvery: 500 * time.Millisecond, pause: 3 * time.Second,
		patience: time.Hour, memory: 30 * 24 * time.Hour,
	}
}

// Validate accepts every configuration: the times are constants.
func (Config) Validate() error { return nil }
