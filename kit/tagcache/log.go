package tagcache

import "sync/atomic"

// log remembers what was purged when, in the order of purges, so that an answer that was asked for before is known as old. Its owner's
// lock guards all but the moment.
type log struct {
	moment atomic.Uint64
	// last is when a tag or a key was purged last; floor is when all that is not in it may have been.
	last  map[string]uint64
	floor uint64
}

// remembered bounds what is remembered. Beyond it all fills under way are taken for old, which costs a question more.
const remembered = 1 << 16

const (
	tagMark = "#"
	keyMark = "/"
)

func (l *log) next() uint64 { return l.moment.Add(1) }

func (l *log) note(what string, at uint64) {
	if len(l.last) >= remembered {
		l.floor, l.last = at, nil
	}
	if l.last == nil {
		l.last = make(map[string]uint64)
	}
	l.last[what] = at
}

func (l *log) all(at uint64) { l.floor, l.last = at, nil }

// since says whether what was asked for at a moment was purged after it.
func (l *log) since(asked uint64, key string, tags []string) bool {
	if l.floor > asked || l.last[keyMark+key] > asked {
		return true
	}
	for _, tag := range tags {
		if l.last[tagMark+tag] > asked {
			return true
		}
	}
	return false
}
