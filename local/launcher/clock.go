package launcher

import (
	"fmt"
	"os"
	"time"
)

// clockFile is where the services of a region look for how wrong a drill wants their clock.
func (h Home) clockFile(region string) string { return h.Path("clock-" + region) }

// SkewClock has the services of a region take the time to be later by an offset, earlier by a negative one; 0 ends it. They follow
// within a tenth of a second, and so do those that are started later.
func SkewClock(home Home, region string, offset time.Duration) error {
	path := home.clockFile(region)
	// In one step, so that nobody reads half of a number.
	if err := os.WriteFile(path+".new", []byte(offset.String()), 0o600); err != nil {
		return fmt.Errorf("put the clock of %s wrong: %w", region, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("put the clock of %s wrong: %w", region, err)
	}
	return nil
}
