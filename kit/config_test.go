package kit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/secret"
)

type sampleConfig struct {
	Wait time.Duration `env:"MERIDIAN_SAMPLE_WAIT, default=3s"`
	Key  secret.Secret `env:"MERIDIAN_SAMPLE_KEY"`

	limit int
}

func (c *sampleConfig) SetDefaults() { c.limit = 7 }

func (sampleConfig) Validate() error { return nil }

func TestReadConfig_AppliesDefaults(t *testing.T) {
	t.Parallel()
	config, err := kit.DefaultConfig[sampleConfig](t.Context())
	if err != nil || config.Wait != 3*time.Second || config.limit != 7 || config.Key.IsSet() {
		t.Errorf("got %+v, %v", config, err)
	}
}

func TestReadConfig_NamesTheVariableAtFault(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"MERIDIAN_SAMPLE_WAIT": "hunter2",
		"MERIDIAN_SAMPLE_KEY":  "hunter2 hunter2 hunter2",
	} {
		_, err := kit.ReadConfig[sampleConfig](t.Context(), func(asked string) (string, bool) { return value, asked == name })
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", name, err)
		}
		if name == "MERIDIAN_SAMPLE_KEY" && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}
