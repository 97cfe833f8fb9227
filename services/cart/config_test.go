package cart

import (
	"testing"
	"time"

	"github.com/meridian-store/meridian/kit"
)

func TestConfig_RefusesContradictions(t *testing.T) {
	t.Parallel()
	set, err := kit.DefaultConfig[Config](t.Context())
	if want := (Config{Idle: 30 * time.Minute, Abandoned: time.Hour, Sweep: time.Minute, Rejoin: 30 * time.Second}); err != nil || set != want {
		t.Errorf("the defaults are %+v, %v", set, err)
	}
	for _, wrong := range []Config{
		{Idle: time.Hour, Abandoned: time.Minute, Sweep: time.Minute}, {Idle: -1, Abandoned: time.Minute, Sweep: time.Minute}, {Abandoned: time.Minute},
		{Abandoned: time.Hour, Sweep: time.Minute, Rejoin: -1},
	} {
		if wrong.Validate() == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
}
