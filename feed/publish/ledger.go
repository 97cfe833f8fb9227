package publish

import (
	"slices"
	"sync"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// maxPostponed and maxPostponedBytes bound what is kept to be offered once more.
const (
	maxPostponed      = 256
	maxPostponedBytes = 16 << 20
)

// result is what became of one batch.
type result struct {
	// end is the place behind the batch's last item.
	end      int64
	outcome  Outcome
	refusals []refused
	stock    []feed.Refusal
}

// refused is an item that the shop did not take.
type refused struct {
	entry
	why feed.Refusal
}

// count notes what became of a product; false when it was refused.
func (r *result) count(e entry, answer contract.BulkResult) bool {
	switch answer.Outcome {
	case "created":
		r.outcome.Created++
	case "updated":
		r.outcome.Updated++
	case "unchanged":
		r.outcome.Unchanged++
	default:
		r.refusals = append(r.refusals, refused{e, feed.Refusal{Line: e.line, Handle: e.slug, Column: answer.Field, Reason: answer.Reason}})
		return false
	}
	return true
}

func (r *result) countStock(answer contract.StockResult, line int) {
	switch answer.Outcome {
	case "applied":
		r.outcome.StockSet++
	case "unchanged":
		r.outcome.StockAsIs++
	default:
		r.outcome.StockDenied++
		r.stock = append(r.stock, feed.Refusal{Line: line, Handle: answer.SKU, Column: "stock in " + answer.Warehouse, Reason: answer.Reason})
	}
}

// ledger puts the results of batches, which come in any order, into the order of the feed.
type ledger struct {
	advanced func(Progress) error

	mu       sync.Mutex
	progress Progress
	// waiting are results that came before that of batch next.
	waiting        map[int]result
	next           int
	postponed      []entry
	postponedBytes int
	failure        error
}

// record takes the result of a batch and tells how far the run has come without a gap.
func (l *ledger) record(number int, r result) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting[number] = r
	for {
		r, there := l.waiting[l.next]
		if !there {
			break
		}
		delete(l.waiting, l.next)
		l.next++
		l.take(r)
	}
	return l.tell()
}

// take counts a result. Products that were refused wait for their second chance as long as there is room.
func (l *ledger) take(r result) {
	l.progress.Done = r.end
	for _, item := range r.refusals {
		if len(l.postponed) < maxPostponed && l.postponedBytes+len(item.product) <= maxPostponedBytes {
			l.hold(item.entry)
			l.progress.Again = append(l.progress.Again, item.place)
			continue
		}
		r.outcome.Refused++
		l.progress.refuse([]feed.Refusal{item.why})
	}
	l.progress.refuse(r.stock)
	l.progress.Outcome.add(r.outcome)
}

func (l *ledger) hold(e entry) {
	l.postponed, l.postponedBytes = append(l.postponed, e), l.postponedBytes+len(e.product)
}

// postpone keeps an item that an earlier run was refused.
func (l *ledger) postpone(e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold(e)
}

func (l *ledger) takePostponed() []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.postponed
}

// settle counts the second answer for an item, which is the last: a run that is cut off later does not offer it again.
func (l *ledger) settle(r result) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, item := range r.refusals {
		r.outcome.Refused++
		l.progress.refuse([]feed.Refusal{item.why})
	}
	l.progress.refuse(r.stock)
	l.progress.Outcome.add(r.outcome)
	place := r.end - 1
	l.progress.Again = slices.DeleteFunc(l.progress.Again, func(other int64) bool { return other == place })
	return l.tell()
}

// end puts the refusals, which the second chances mixed, into the order of the feed.
func (l *ledger) end() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortStableFunc(l.progress.Refusals, func(a, b feed.Refusal) int { return a.Line - b.Line })
	return l.tell()
}

func (l *ledger) tell() error {
	if l.advanced == nil {
		return nil
	}
	return l.advanced(l.progress.clone())
}

func (l *ledger) snapshot() Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.progress.clone()
}

func (l *ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == nil {
		l.failure = err
	}
}

func (l *ledger) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failure
}
