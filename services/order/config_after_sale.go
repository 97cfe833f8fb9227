package order

import (
	"fmt"
	"time"
)

// AfterSale are the times of what follows a sale.
type AfterSale struct {
	// Tasks is how often refunds and returns to stock that are due again are looked for; new ones are done at once.
	Tasks time.Duration `env:"MERIDIAN_ORDER_TASKS, default=2s"`
	// ArchiveDir is where old orders are kept, a folder for each region in it. Without one, none is archived.
	ArchiveDir string `env:"MERIDIAN_ORDER_ARCHIVE_DIR"`
	// ArchiveAfter is how long an order stays in the database after its last change: eighteen months.
	ArchiveAfter time.Duration `env:"MERIDIAN_ORDER_ARCHIVE_AFTER, default=13140h"`
	// Archive is how often old orders are looked for.
	Archive time.Duration `env:"MERIDIAN_ORDER_ARCHIVE_EVERY, default=1h"`
}

// Validate refuses times that are none.
func (s AfterSale) Validate() error {
	if s.Tasks <= 0 || s.ArchiveAfter <= 0 || s.Archive <= 0 {
		return fmt.Errorf("MERIDIAN_ORDER_TASKS, _ARCHIVE_AFTER and _ARCHIVE_EVERY have to be above 0")
	}
	return nil
}
