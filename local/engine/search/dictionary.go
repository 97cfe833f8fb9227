package search

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// dictionary is a field's words, or its whole values, each with the documents that hold it.
type dictionary struct {
	holders map[string]*roaring.Bitmap

	mu sync.Mutex
	// sorted are the words in order, for prefixes and typos: without those in added, and perhaps with some that are gone.
	sorted []string
	added  []string
}

func newDictionary() *dictionary { return &dictionary{holders: map[string]*roaring.Bitmap{}} }

func (d *dictionary) add(word string, slot uint32) {
	holders := d.holders[word]
	if holders == nil {
		holders = roaring.New()
		d.holders[word] = holders
		d.added = append(d.added, word)
	}
	holders.Add(slot)
}

func (d *dictionary) remove(word string, slot uint32) {
	holders := d.holders[word]
	if holders == nil {
		return
	}
	if holders.Remove(slot); holders.IsEmpty() {
		delete(d.holders, word)
	}
}

// order gives all words in order, and perhaps some that are gone. Readers may ask at once.
func (d *dictionary) order() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.added) > 0 {
		slices.Sort(d.added)
		merged := make([]string, 0, len(d.sorted)+len(d.added))
		for a, b := d.sorted, d.added; len(a) > 0 || len(b) > 0; {
			var word string
			if len(b) == 0 || len(a) > 0 && a[0] <= b[0] {
				word, a = a[0], a[1:]
			} else {
				word, b = b[0], b[1:]
			}
			if d.holders[word] != nil && (len(merged) == 0 || merged[len(merged)-1] != word) {
				merged = append(merged, word)
			}
		}
		d.sorted, d.added = merged, nil
	}
	return d.sorted
}

// prefixed gives those that hold a word which begins so.
func (d *dictionary) prefixed(word string) *roaring.Bitmap {
	found := roaring.New()
	words := d.order()
	at, _ := slices.BinarySearch(words, word)
	for n := 0; at < len(words) && strings.HasPrefix(words[at], word) && n < maxExpansions; at, n = at+1, n+1 {
		if holders := d.holders[words[at]]; holders != nil {
			found.Or(holders)
		}
	}
	return found
}

// near tells of each word that is up to so many typos away, as a prefix too if wanted. Words that begin alike share the rows of the table by
// which the distance is worked out, and a beginning that is too far away is left out with all its words.
func (d *dictionary) near(word string, most int, prefix bool, tell func(holders *roaring.Bitmap, typos int)) {
	words := d.order()
	w := newWalk(word, most, prefix)
	for at := 0; at < len(words); {
		if tooFar := w.step(words[at]); tooFar != "" {
			at = after(words, at, tooFar)
			continue
		}
		if typos := w.typos(); typos <= most {
			if holders := d.holders[words[at]]; holders != nil {
				tell(holders, typos)
			}
		}
		at++
	}
}

// after gives the place of the first word behind those that begin so.
func after(words []string, at int, beginning string) int {
	const nearby = 8
	for range nearby {
		if at++; at == len(words) || !strings.HasPrefix(words[at], beginning) {
			return at
		}
	}
	return at + sort.Search(len(words)-at, func(i int) bool { return !strings.HasPrefix(words[at+i], beginning) })
}

// walk works out distances from one word to others that come in order: how many letters have to be put in, left out, exchanged or swapped with
// their neighbour.
type walk struct {
	word   []rune
	most   int
	prefix bool
	// other is the word that is looked at, rows its table, a row for each of its letters and one before, and best the least distance of any of
	// its beginnings up to there.
	other   []rune
	rows    [][]int
	best    []int
	letters []rune // of the next word, kept to be used again
}

func newWalk(word string, most int, prefix bool) *walk {
	w := &walk{word: []rune(word), most: most, prefix: prefix}
	first := make([]int, len(w.word)+1)
	for i := range first {
		first[i] = i
	}
	w.rows, w.best = append(w.rows, first), append(w.best, len(w.word))
	return w
}

// step goes on to another word. It gives the beginning that is too far away, or "" when the whole word was looked at.
func (w *walk) step(other string) (tooFar string) {
	w.letters = append(w.letters[:0], []rune(other)...)
	shared := 0
	for shared < min(len(w.other), len(w.letters)) && w.other[shared] == w.letters[shared] {
		shared++
	}
	w.other = w.other[:shared]
	for _, letter := range w.letters[shared:] {
		w.other = append(w.other, letter)
		if w.row() > w.most && !(w.prefix && w.best[len(w.other)] <= w.most) {
			return other[:len(string(w.other))]
		}
	}
	return ""
}

// row works out the row of the last letter and gives its least distance.
func (w *walk) row() int {
	j, n := len(w.other), len(w.word)
	if len(w.rows) <= j {
		w.rows, w.best = append(w.rows, make([]int, n+1)), append(w.best, 0)
	}
	before, now := w.rows[j-1], w.rows[j]
	now[0] = j
	least := j
	for i := 1; i <= n; i++ {
		cost := 1
		if w.word[i-1] == w.other[j-1] {
			cost = 0
		}
		now[i] = min(before[i]+1, now[i-1]+1, before[i-1]+cost)
		if i > 1 && j > 1 && w.word[i-1] == w.other[j-2] && w.word[i-2] == w.other[j-1] {
			now[i] = min(now[i], w.rows[j-2][i-2]+1)
		}
		least = min(least, now[i])
	}
	w.best[j] = min(w.best[j-1], now[n])
	return least
}

func (w *walk) typos() int {
	if w.prefix {
		return w.best[len(w.other)]
	}
	return w.rows[len(w.other)][len(w.word)]
}
