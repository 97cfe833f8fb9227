package identity

import (
	"strings"
	"testing"

	"github.com/meridian-store/meridian/kit"
)

func TestConfig_RefusesKeysThatWouldLoseTheDirectory(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("ab", 32)
	for directoryKey, accepted := range map[string]bool{key: true, key + " " + key: false, "": false, "ab": false, "zz" + key[2:]: false} {
		environment := map[string]string{"MERIDIAN_SIGNING_SEED": key, "MERIDIAN_DIRECTORY_KEY": directoryKey}
		_, err := kit.ReadConfig[Config](t.Context(), func(name string) (string, bool) {
			value, found := environment[name]
			return value, found
		})
		if (err == nil) != accepted || err != nil && !strings.Contains(err.Error(), "MERIDIAN_DIRECTORY_KEY") {
			t.Errorf("%d characters: got %v", len(directoryKey), err)
		}
	}
}
