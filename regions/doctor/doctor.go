// Package doctor examines a running shop and reports what is wrong, the evidence for it and the remedy. It also
// reports what it measured when nothing is wrong. It changes nothing.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Finding is one thing that is wrong.
type Finding struct {
	// Part is what is wrong, such as "eu-west/redis".
	Part    string `json:"part"`
	Problem string `json:"problem"`
	// Evidence is what was measured or answered.
	Evidence string `json:"evidence"`
	// Remedy is a command, or what to look at.
	Remedy string `json:"remedy"`
}

// Fact is one thing that was measured.
type Fact struct {
	Part  string  `json:"part"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Unit is ms, s, bytes, or what is counted.
	Unit string `json:"unit"`
}

// Report is all that an examination found.
type Report struct {
	OK bool `json:"ok"`
	// Running is false when there was nothing to examine but the programs of the engines.
	Running  bool      `json:"running"`
	Findings []Finding `json:"findings"`
	Facts    []Fact    `json:"facts"`
}

// examineTimeout bounds each examination. They run at once, so that it nearly bounds the whole: an operator in trouble waits no longer.
const examineTimeout = 3500 * time.Millisecond

// leaveTimeout is how long one whose time is over may take to say why.
const leaveTimeout = 300 * time.Millisecond

// notes collects what examinations find while they run at once.
type notes struct {
	mu       sync.Mutex
	findings []Finding
	facts    []Fact
}

func (n *notes) find(found ...Finding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.findings = append(n.findings, found...)
}

func (n *notes) fact(part, name string, value float64, unit string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.facts = append(n.facts, Fact{part, name, value, unit})
}

// examination asks one part. An error means that the part could not be asked.
type examination struct {
	part, remedy string
	ask          func(ctx context.Context, n *notes) error
}

// Examine looks at every part of a shop.
func Examine(ctx context.Context, subject Subject) Report {
	n := &notes{}
	n.find(subject.Findings...)
	n.find(parts(subject)...)
	if subject.Status.Running {
		run(ctx, n, examinations(subject))
	}
	return n.report(subject.Status.Running)
}

// examinations lists what is asked of a running shop. A part that is known not to answer is not asked again.
func examinations(s Subject) []examination {
	asked := []examination{disk(s)}
	if s.Status.SQL.Ready || s.outside("", partSQL) {
		asked = append(asked, sql(s))
	}
	if s.Status.Links.Ready {
		asked = append(asked, links(s.Status)...)
	}
	for _, region := range s.Status.Regions {
		for _, engine := range region.Engines {
			if !engine.Ready && !s.outside(region.Name, engine.Name) {
				continue
			}
			switch engine.Name {
			case "redis":
				asked = append(asked, redis(s, region.Name, engine.Address))
			case "broker":
				asked = append(asked, broker(s, region.Name, engine.Address))
			}
		}
		for _, service := range region.Services {
			if service.Ready {
				asked = append(asked, serviceOf(s, region.Name, service))
			}
		}
	}
	return asked
}

func run(ctx context.Context, n *notes, asked []examination) {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	var wait sync.WaitGroup
	for _, e := range asked {
		wait.Go(func() {
			if err := e.bounded(ctx, n); err != nil {
				n.find(Finding{Part: e.part, Problem: "it could not be examined", Evidence: err.Error(), Remedy: e.remedy})
			}
		})
	}
	wait.Wait()
}

// bounded gives up on an examination when its time is over, also where a client does not heed its context while it connects or takes
// leave. What such a one still notes comes too late and is dropped.
func (e examination) bounded(ctx context.Context, n *notes) error {
	own := &notes{}
	done := make(chan error, 1)
	go func() { done <- e.ask(ctx, own) }()
	select {
	case err := <-done:
		own.moveTo(n)
		return err
	case <-ctx.Done():
	}
	select { // most do heed it, and say what they waited for
	case err := <-done:
		own.moveTo(n)
		return err
	case <-time.After(leaveTimeout):
		own.moveTo(n)
		return fmt.Errorf("it did not answer within %s", examineTimeout)
	}
}

// moveTo hands over what was noted so far.
func (n *notes) moveTo(other *notes) {
	n.mu.Lock()
	defer n.mu.Unlock()
	other.find(n.findings...)
	other.mu.Lock()
	defer other.mu.Unlock()
	other.facts = append(other.facts, n.facts...)
}

func (n *notes) report(running bool) Report {
	report := Report{OK: len(n.findings) == 0, Running: running, Findings: []Finding{}, Facts: []Fact{}}
	report.Findings, report.Facts = append(report.Findings, n.findings...), append(report.Facts, n.facts...)
	slices.SortStableFunc(report.Findings, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Problem, b.Problem)) })
	slices.SortStableFunc(report.Facts, func(a, b Fact) int { return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Name, b.Name)) })
	return report
}
