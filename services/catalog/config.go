package catalog

// Config is the catalog service's own configuration: it has none.
type Config struct{}

// Validate accepts the empty configuration.
func (Config) Validate() error { return nil }
