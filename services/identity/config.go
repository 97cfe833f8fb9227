package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/kit/secret"
)

// Config is the identity service's own configuration. Its secrets are given to the process that runs identity and to no other.
type Config struct {
	// SigningSeed is the region's own Ed25519 seed in hexadecimal; the public half is in MERIDIAN_JWKS.
	SigningSeed secret.Secret `env:"MERIDIAN_SIGNING_SEED"`
	// DirectoryKey is the key of the login directory in hexadecimal, the same in every region.
	DirectoryKey secret.Secret `env:"MERIDIAN_DIRECTORY_KEY"`

	// sweepEvery is how often expired sessions are deleted.
	sweepEvery time.Duration
}

// SetDefaults sets what no variable sets.
func (c *Config) SetDefaults() { c.sweepEvery = 10 * time.Minute }

// Validate returns an error that names the variable at fault.
func (c Config) Validate() error {
	if !c.SigningSeed.IsSet() {
		return fmt.Errorf("identity needs MERIDIAN_SIGNING_SEED in its environment: the region's Ed25519 seed in hexadecimal")
	}
	_, err := c.directoryKey()
	return err
}

func (c Config) directoryKey() ([]byte, error) {
	if len(c.DirectoryKey.Values()) > 1 {
		return nil, errors.New("MERIDIAN_DIRECTORY_KEY must hold one value: addresses in the login directory are hashed with it")
	}
	key, err := hex.DecodeString(c.DirectoryKey.Current())
	if err != nil || len(key) < sha256.Size {
		return nil, fmt.Errorf("identity needs MERIDIAN_DIRECTORY_KEY in its environment: at least %d bytes in hexadecimal, "+
			"the same in every region", sha256.Size)
	}
	return key, nil
}
