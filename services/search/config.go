package search

import (
	"errors"

	"github.com/meridian-store/meridian/kit/secret"
)

// Config is where the region's search engine is. It is given to the process that runs search and to no other.
type Config struct {
	URL string `env:"MERIDIAN_TYPESENSE_URL"`
	// Key is the engine's administrator key.
	Key secret.Secret `env:"MERIDIAN_TYPESENSE_KEY"`
}

// Validate returns an error that names the variable at fault.
func (c Config) Validate() error {
	if c.URL == "" || !c.Key.IsSet() {
		return errors.New("search needs MERIDIAN_TYPESENSE_URL and MERIDIAN_TYPESENSE_KEY in its environment")
	}
	return nil
}
