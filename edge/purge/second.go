package purge

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// second holds what is to be purged once more.
type second struct {
	mu   sync.Mutex
	due  []batch
	wake chan struct{}
}

type batch struct {
	at   time.Time
	what contract.AnswersPurge
}

func newSecond() *second { return &second{wake: make(chan struct{}, 1)} }

func (s *second) add(now time.Time, what contract.AnswersPurge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = append(s.due, batch{now.Add(again), what})
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take gives as one purge all whose time has come, each tag once, and when the next ones are due; zero when there are none.
func (s *second) take(now time.Time) (what contract.AnswersPurge, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.due) > 0 && !s.due[0].at.After(now) {
		what.Tags = append(what.Tags, s.due[0].what.Tags...)
		what.Everything = what.Everything || s.due[0].what.Everything
		s.due = s.due[1:]
	}
	if len(s.due) > 0 {
		next = s.due[0].at
	}
	slices.Sort(what.Tags)
	what.Tags = slices.Compact(what.Tags)
	if what.Everything || len(what.Tags) > contract.MaxPurgeTags {
		what = contract.AnswersPurge{Everything: true}
	}
	return what, next
}

// repeat purges for the second time, until the context ends. What fails is tried again by the edge's client until it succeeds or is refused
// for good.
func (p *purger) repeat(ctx context.Context) error {
	for {
		what, next := p.second.take(p.now())
		if what.Everything || len(what.Tags) > 0 {
			if err := p.purge(ctx, what); err != nil && ctx.Err() == nil {
				p.log.ErrorContext(ctx, "A second purge failed; the first one was done.", "tags", len(what.Tags), "error", err.Error())
			}
			continue
		}
		var due <-chan time.Time
		if !next.IsZero() {
			due = time.After(next.Sub(p.now()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-due:
		case <-p.second.wake:
		}
	}
}
