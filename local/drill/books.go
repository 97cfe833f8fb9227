package drill

import (
	"context"
	"strings"
	"time"

	"github.com/meridian-store/meridian/regions/audit"
)

// Audited is the books of a shop as an audit reads them.
type Audited audit.Config

// Orders counts each order's rows and captured charges.
func (a Audited) Orders(ctx context.Context, ids []string, since time.Time) (found, charged map[string]int, err error) {
	return audit.Sold(ctx, audit.Config(a), ids, since)
}

// Audit looks at everything.
func (a Audited) Audit(ctx context.Context) ([]string, error) {
	report, err := audit.Run(ctx, audit.Config(a))
	if err != nil {
		return nil, err
	}
	violations := make([]string, 0, len(report.Violations))
	for _, v := range report.Violations {
		violations = append(violations, v.Code+": "+v.What+" ("+strings.Join(v.IDs, " ")+")")
	}
	return violations, nil
}
