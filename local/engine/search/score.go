package search

import (
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
)

// The parts of a score, and where they stand in it.
const (
	allShift, heldShift, typosShift, exactShift, wholeShift, weightShift = 50, 40, 32, 24, 20, 8
	fieldsMask                                                           = 15
	byteMask                                                             = 1<<8 - 1
)

// tally is what one field of one document holds of a query's words.
type tally struct {
	held, typos uint8
	// unsure is set when a word is there with a typo, or only begins so.
	unsure bool
	// seen is the word, counted from 1, that was counted last.
	seen uint8
}

// score gives each document of an attempt a number into which what counts is packed, the most important first: how many of the query's words
// it holds anywhere; how many the best field holds, how few typos, whether the field is the query and nothing else, and whether the words are
// whole; then that field's weight, and how many fields hold words at all.
func (l *lookup) score(a attempt, asked int) []scored {
	slots := a.found.ToArray()
	if len(slots) == 0 {
		return nil
	}
	found := make([]scored, len(slots))
	fields := make([]uint8, len(slots))
	tallies := make([]tally, len(slots))
	for j, in := range l.by {
		clear(tallies)
		any := false
		for i := range a.words {
			o := a.places[i][j]
			for typos, holders := range []*roaring.Bitmap{o.exact, o.prefixed, o.oneTypo, o.twoTypos} {
				if !holders.IsEmpty() {
					any = count(tallies, slots, a.found, holders, uint8(i+1), typos) || any
				}
			}
		}
		if !any {
			continue
		}
		x := l.texts[in.name]
		for n, t := range tallies {
			if t.held == 0 {
				continue
			}
			fields[n]++
			exact, whole := int64(0), int64(0)
			if !t.unsure {
				whole = 1
				if l.prioritizeExact && int(t.held) == asked && x.sizes[slots[n]] == uint16(t.held) {
					exact = 1
				}
			}
			value := int64(t.held)<<heldShift | int64(byteMask-t.typos)<<typosShift | exact<<exactShift | whole<<wholeShift | int64(in.weight)<<weightShift
			found[n].text = max(found[n].text, value)
		}
	}
	all := int64(len(a.words))
	for n, slot := range slots {
		found[n].slot, found[n].reading = slot, int32(a.reading)
		found[n].text |= all<<allShift | int64(min(fields[n], fieldsMask))
	}
	return found
}

// count adds the documents that hold a word in one way to their tallies, unless a better way was counted before. The ways are: as it is, as a
// beginning, with one typo and with two.
func count(tallies []tally, slots []uint32, found, holders *roaring.Bitmap, word uint8, way int) (any bool) {
	n := 0
	for it := roaring.And(found, holders).Iterator(); it.HasNext(); {
		slot := it.Next()
		for slots[n] != slot {
			n++
		}
		t := &tallies[n]
		if t.seen == word {
			continue
		}
		any = true
		t.seen = word
		t.held++
		t.typos += uint8(max(way-1, 0))
		t.unsure = t.unsure || way > 0
	}
	return any
}

// explained takes a score apart, in Typesense's words.
func explained(s scored, p *params) map[string]any {
	part := func(shift, mask int64) int64 { return s.text >> shift & mask }
	matched := part(allShift, byteMask)
	return map[string]any{
		"score": strconv.FormatInt(s.text, 10), "best_field_score": strconv.FormatInt(s.text&(1<<allShift-1)>>wholeShift, 10),
		"best_field_weight": part(weightShift, byteMask), "fields_matched": part(0, fieldsMask), "tokens_matched": matched,
		"num_tokens_dropped": int64(len(p.readings[s.reading])) - matched, "typo_prefix_score": byteMask - part(typosShift, byteMask),
	}
}
