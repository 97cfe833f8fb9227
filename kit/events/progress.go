package events

import (
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// look is how far topics went at a time.
type look struct {
	at   time.Time
	ends kadm.ListedOffsets
}

type place struct {
	topic     string
	partition int32
}

// progress is how far a tail has read.
type progress struct {
	mu   sync.Mutex
	next map[place]int64
}

func (p *progress) pass(record *kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next[place{record.Topic, record.Partition}] = record.Offset + 1
}

// heard is the time of the first look, newest first, before which nothing came that has not been applied. While events never cease some
// are always on their way, and those of the look before have come.
func (p *progress) heard(newestFirst ...look) (at time.Time, some bool) {
	for _, look := range newestFirst {
		if !look.at.IsZero() && p.reached(look.ends) {
			return look.at, true
		}
	}
	return time.Time{}, false
}

func (p *progress) reached(ends kadm.ListedOffsets) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	reached := true
	ends.Each(func(end kadm.ListedOffset) {
		reached = reached && p.next[place{end.Topic, end.Partition}] >= end.Offset
	})
	return reached
}

// grown says whether there are partitions that are not read at all.
func (p *progress) grown(ends kadm.ListedOffsets) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	grown := false
	ends.Each(func(end kadm.ListedOffset) {
		_, known := p.next[place{end.Topic, end.Partition}]
		grown = grown || !known
	})
	return grown
}
