package cart

import (
	"testing"
	"time"
)

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	set, err := loadSettings(t.Context())
	if want := (settings{Idle: 30 * time.Minute, Abandoned: time.Hour, Sweep: time.Minute, Rejoin: 30 * time.Second}); err != nil || set != want {
		t.Errorf("the settings are %+v, %v", set, err)
	}
	for _, wrong := range []settings{
		{Idle: time.Hour, Abandoned: time.Minute, Sweep: time.Minute}, {Idle: -1, Abandoned: time.Minute, Sweep: time.Minute}, {Abandoned: time.Minute},
		{Abandoned: time.Hour, Sweep: time.Minute, Rejoin: -1},
	} {
		if wrong.validate() == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
}
