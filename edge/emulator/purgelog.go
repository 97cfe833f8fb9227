package emulator

import "sync/atomic"

// purgeLog remembers what was purged when, in the order of purges, so that an answer that was asked for before is known as old. Its
// owner's lock guards all but the moment.
type purgeLog struct {
	moment atomic.Uint64
	// last is when a tag or a target was purged last; floor is when all that is not in it may have been.
	last  map[string]uint64
	floor uint64
}

// rememberedPurges bounds what is remembered. Beyond it all fills under way are taken for old, which costs a question more.
const rememberedPurges = 1 << 16

const (
	tagMark    = "#"
	targetMark = "/"
)

func (l *purgeLog) next() uint64 { return l.moment.Add(1) }

func (l *purgeLog) note(what string, at uint64) {
	if l.last == nil || len(l.last) >= rememberedPurges {
		if l.last != nil {
			l.floor = at
		}
		l.last = make(map[string]uint64)
	}
	l.last[what] = at
}

func (l *purgeLog) all(at uint64) { l.floor, l.last = at, nil }

// since says whether an answer that was asked for at a moment was purged after it.
func (l *purgeLog) since(asked uint64, key string, tags []string) bool {
	if l.floor > asked || l.last[targetMark+targetOf(key)] > asked {
		return true
	}
	for _, tag := range tags {
		if l.last[tagMark+tag] > asked {
			return true
		}
	}
	return false
}
