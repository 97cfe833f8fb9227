package search

import (
	"math"

	"github.com/RoaringBitmap/roaring/v2"
)

// numbers are a field's, by document, to filter and sort by.
type numbers struct {
	// first is each document's value, or the first of several; not a number where there is none.
	first []float64
	// more are all values of those documents that have several.
	more map[uint32][]float64
}

func (n *numbers) set(slot uint32, values []float64) {
	for int(slot) >= len(n.first) {
		n.first = append(n.first, math.NaN())
	}
	n.first[slot] = values[0]
	if len(values) > 1 {
		n.more[slot] = values
	}
}

func (n *numbers) clear(slot uint32) {
	if int(slot) < len(n.first) {
		n.first[slot] = math.NaN()
	}
	delete(n.more, slot)
}

// at gives a document's first value.
func (n *numbers) at(slot uint32) (value float64, there bool) {
	if n == nil || int(slot) >= len(n.first) {
		return 0, false
	}
	value = n.first[slot]
	return value, !math.IsNaN(value)
}

// all gives a document's values.
func (n *numbers) all(slot uint32) []float64 {
	if more := n.more[slot]; more != nil {
		return more
	}
	if _, there := n.at(slot); there {
		return n.first[slot : slot+1]
	}
	return nil
}

// within gives the documents that have a value in one of some ranges, both ends included.
func (n *numbers) within(ranges [][2]float64) *roaring.Bitmap {
	found := roaring.New()
	if n == nil {
		return found
	}
	var room [1024]uint32 // one list of all that pass would be half a megabyte to throw away
	some := room[:0]
	for slot, value := range n.first {
		for _, r := range ranges {
			if value >= r[0] && value <= r[1] {
				some = append(some, uint32(slot))
				break
			}
		}
		if len(some) == cap(some) {
			found.AddMany(some)
			some = room[:0]
		}
	}
	found.AddMany(some)
	for slot, values := range n.more {
		for _, value := range values[1:] {
			for _, r := range ranges {
				if value >= r[0] && value <= r[1] {
					found.Add(slot)
				}
			}
		}
	}
	return found
}

// labels are the values of a text field that is counted, by document. Each value has a number, so that counting compares no texts.
type labels struct {
	names  []string
	uses   []int
	number map[string]uint32
	free   []uint32
	held   [][]uint32 // by slot
}

func newLabels() *labels { return &labels{number: map[string]uint32{}} }

func (l *labels) set(slot uint32, values []string) {
	for int(slot) >= len(l.held) {
		l.held = append(l.held, nil)
	}
	held := make([]uint32, 0, len(values))
	for _, value := range values {
		number, known := l.number[value]
		switch n := len(l.free); {
		case known:
		case n > 0:
			number, l.free = l.free[n-1], l.free[:n-1]
			l.names[number] = value
		default:
			number = uint32(len(l.names))
			l.names, l.uses = append(l.names, value), append(l.uses, 0)
		}
		l.number[value] = number
		l.uses[number]++
		held = append(held, number)
	}
	l.held[slot] = held
}

func (l *labels) clear(slot uint32) {
	if int(slot) >= len(l.held) {
		return
	}
	for _, number := range l.held[slot] {
		if l.uses[number]--; l.uses[number] == 0 {
			delete(l.number, l.names[number])
			l.names[number] = ""
			l.free = append(l.free, number)
		}
	}
	l.held[slot] = nil
}
