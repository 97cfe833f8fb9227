// Package audit lays the shop's databases and the payment provider's books side by side and names every place where they break a
// promise: an order without its charge, a charge without its order, stock that does not add up, an event that nobody sent. It reads
// and changes nothing, and it works while the shop sells: what it finds amiss it looks at again, until it is gone or has stayed.
//
// The checks are in the files rules_*.go, which judge all that is known of one saga, and in shelves.go and queries.go, which ask one
// database each. Checks lists them all.
package audit

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// DefaultSettle outlasts what a checkout, its events and their relays take when nothing is wrong.
const DefaultSettle = 15 * time.Second

// maxCandidates bounds what is looked at again, and so the memory that a thoroughly broken shop takes. What is beyond is counted.
const maxCandidates = 2_000

// Config says where an audit looks.
type Config struct {
	// Databases are the services' databases by the service's name, opened as a role that may read what Reads lists.
	Databases map[string]*sqldb.DB
	// Ledger is the payment provider's own books.
	Ledger provider.Ledger
	// Regions are the names of all regions, whichever run.
	Regions []string
	// Settle is how long something has to stay amiss before it is a violation.
	Settle time.Duration
	// Progress is called now and then with what is being looked at and how much of it has been read; nil for nobody.
	Progress func(what string, read int)
	// SpoolFolder is where intermediate files go, the system's folder for such when empty. SpoolBytes is how much is kept in memory
	// before; 0 for 64 MB.
	SpoolFolder string
	SpoolBytes  int
}

// Violation is one broken promise.
type Violation struct {
	// Code is stable: docs/runbook/audit.md has a row for each.
	Code string `json:"code"`
	// What is one sentence for people.
	What string `json:"what"`
	// IDs name the things concerned, the first being what the sentence is about.
	IDs []string `json:"ids"`

	// fact is what has to stay the same for the violation to be the same one; What when empty.
	fact string
	// examined is what has to be looked at again: a saga's id, a SKU.
	examined string
}

// Report is all that an audit found.
type Report struct {
	OK bool `json:"ok"`
	// Checked counts what was looked at, by what it is.
	Checked    map[string]int `json:"checked"`
	Violations []Violation    `json:"violations"`
	// Beyond is how many more there were at the first look, when there were too many to look at again.
	Beyond int   `json:"beyond,omitempty"`
	TookMS int64 `json:"took_ms"`
}

// examination finds violations of one kind. With only it looks at nothing but those.
type examination interface {
	examine(ctx context.Context, only []string, found func(Violation)) error
}

// Run audits. A *CannotLook means that something could not be looked at, which says nothing about what is there.
func Run(ctx context.Context, config Config) (Report, error) {
	begun := time.Now()
	counts := &counter{counts: map[string]int{}, progress: config.Progress}
	report := Report{Checked: counts.counts, Violations: []Violation{}}
	violations, beyond, err := settled(ctx, examinations(config, counts), config.Settle, counts.settling)
	if err != nil {
		return Report{}, err
	}
	report.Violations, report.Beyond = append(report.Violations, violations...), beyond
	report.OK = len(report.Violations) == 0
	report.TookMS = time.Since(begun).Milliseconds()
	return report, nil
}

func examinations(config Config, counts *counter) []examination {
	all := []examination{
		&sagas{config: config, counts: counts},
		&shelves{db: config.Databases[contract.ServiceInventory], regions: config.Regions, counts: counts},
	}
	for _, query := range queries() {
		all = append(all, &asked{query: query, db: config.Databases[query.service], regions: config.Regions})
	}
	for _, service := range slices.Sorted(maps.Keys(config.Databases)) {
		all = append(all, &stranded{service: service, db: config.Databases[service], regions: config.Regions, counts: counts})
	}
	return all
}

// counter counts what is looked at the first time.
type counter struct {
	counts   map[string]int
	progress func(string, int)
}

// progressEvery bounds how often progress is told.
const progressEvery = 1_000

func (c *counter) add(what string, n int) {
	before := c.counts[what]
	c.counts[what] += n
	if c.progress != nil && before/progressEvery != c.counts[what]/progressEvery {
		c.progress(what, c.counts[what])
	}
}

// settling tells how many things are looked at again.
func (c *counter) settling(candidates int) {
	if c.progress != nil {
		c.progress("looking again", candidates)
	}
}

// CannotLook says what could not be read, and so was not judged.
type CannotLook struct {
	// What is an engine in words, such as "the database of order".
	What string
	Err  error
}

func (c *CannotLook) Error() string { return c.What + " can not be read: " + c.Err.Error() }

// Unwrap gives the cause.
func (c *CannotLook) Unwrap() error { return c.Err }

func unreadable(service string, err error) error {
	return &CannotLook{"the database of " + service, err}
}
