package search

import (
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// params are a search's, read and bounded.
type params struct {
	q                        string
	by                       []searched
	numTypos                 int
	minLen1, minLen2         int
	typoThreshold            int
	dropThreshold            int
	prioritizeExact          bool
	filter                   condition
	sort                     []sortKey
	facets                   []facetBy
	maxFacetValues           int
	facetQuery               string
	page, perPage, offset    int
	include, exclude         []string
	highlightFields          []string
	highlightFull            []string
	highlightStart           string
	highlightEnd             string
	affixTokens              int
	pinned                   []pin
	hidden                   []string
	enableOverrides          bool
	exhaustive, prefixGlobal bool
}

// searched is a field that the words are looked for in.
type searched struct {
	field  *field
	name   string
	weight int
	typos  int
	prefix bool
}

// pin puts a document at a place, counted from 1.
type pin struct {
	id       string
	position int
}

// occurrence is, for one word of the query and one field, the documents that hold it, by how well.
type occurrence struct {
	exact, prefixed, oneTypo, twoTypos *roaring.Bitmap
}

func (o *occurrence) union() *roaring.Bitmap {
	return roaring.FastOr(o.exact, o.prefixed, o.oneTypo, o.twoTypos)
}

// cost is how many typos the word has in a document; 3 when it is not there. A word that only begins so costs nothing, but is no exact one.
func (o *occurrence) cost(slot uint32) (typos int, whole bool) {
	switch {
	case o.exact.Contains(slot):
		return 0, true
	case o.prefixed.Contains(slot):
		return 0, false
	case o.oneTypo.Contains(slot):
		return 1, false
	case o.twoTypos.Contains(slot):
		return 2, false
	}
	return 3, false
}

// maxExpansions bounds how many words of a dictionary one word of a query stands for.
const maxExpansions = 1000

// occurrences looks a word up in a field, with so many typos.
func (c *collection) occurrences(word string, in searched, budget int, last bool, p *params) *occurrence {
	o := &occurrence{roaring.New(), roaring.New(), roaring.New(), roaring.New()}
	dictionary := c.words[in.name]
	if dictionary == nil {
		return o
	}
	if holders := dictionary.holders[word]; holders != nil {
		o.exact.Or(holders)
	}
	prefix := in.prefix && last
	if prefix {
		words := dictionary.order()
		at, _ := slices.BinarySearch(words, word)
		for n := 0; at < len(words) && strings.HasPrefix(words[at], word) && n < maxExpansions; at, n = at+1, n+1 {
			o.prefixed.Or(dictionary.holders[words[at]])
		}
	}
	most := min(budget, in.typos, typosFor(len([]rune(word)), p))
	if most == 0 {
		return o
	}
	letters := []rune(word)
	for other, holders := range dictionary.holders {
		switch distance(letters, []rune(other), most, prefix) {
		case 1:
			o.oneTypo.Or(holders)
		case 2:
			if most == 2 {
				o.twoTypos.Or(holders)
			}
		}
	}
	return o
}

// attempt is one way of reading the query: some of its words, with so many typos.
type attempt struct {
	words  []string
	places [][]*occurrence // by word, then by field
	found  *roaring.Bitmap // the documents that hold all of the words
}

func (c *collection) try(words []string, budget int, p *params) attempt {
	a := attempt{words: words}
	for i, word := range words {
		row := make([]*occurrence, len(p.by))
		any := roaring.New()
		for j, in := range p.by {
			row[j] = c.occurrences(word, in, budget, i == len(words)-1, p)
			any.Or(row[j].union())
		}
		a.places = append(a.places, row)
		if a.found == nil {
			a.found = any
		} else {
			a.found.And(any)
		}
	}
	return a
}

// scored is a document that was found.
type scored struct {
	slot uint32
	text int64
	// best is the attempt by which it was found, for its highlights.
	words []string
}

// matches finds the documents of a query, whose synonyms give it several readings: with as few typos as give enough, then with fewer words,
// dropped from the right.
func (c *collection) matches(readings [][]string, within *roaring.Bitmap, p *params) []scored {
	scores := map[uint32]scored{}
	for dropped, longest := 0, longestOf(readings); dropped < longest && (dropped == 0 || len(scores) < p.dropThreshold); dropped++ {
		for budget := 0; budget <= p.numTypos && (budget == 0 || len(scores) < p.typoThreshold); budget++ {
			for _, words := range readings {
				if dropped < len(words) {
					c.collect(scores, c.try(words[:len(words)-dropped], budget, p), within, len(words), p)
				}
			}
		}
	}
	list := make([]scored, 0, len(scores))
	for _, s := range scores {
		list = append(list, s)
	}
	return list
}

func longestOf(readings [][]string) int {
	longest := 0
	for _, words := range readings {
		longest = max(longest, len(words))
	}
	return longest
}

// collect keeps of each document the best score.
func (c *collection) collect(scores map[uint32]scored, a attempt, within *roaring.Bitmap, asked int, p *params) {
	a.found.And(within)
	for it := a.found.Iterator(); it.HasNext(); {
		slot := it.Next()
		text := c.score(slot, a, asked, p)
		if before, there := scores[slot]; !there || text > before.text {
			scores[slot] = scored{slot, text, a.words}
		}
	}
}

// score packs what counts into one number, the most important first: how many of the query's words the best field holds, how few typos, how
// close together, whether the field is the query and nothing else; then that field's weight, and how many fields hold words at all.
func (c *collection) score(slot uint32, a attempt, asked int, p *params) int64 {
	best, fieldsWithWords := int64(0), 0
	d := c.slots[slot]
	for j, in := range p.by {
		held, typos, whole := 0, 0, true
		for i := range a.words {
			cost, isWhole := a.places[i][j].cost(slot)
			if cost > 2 {
				continue
			}
			held++
			typos += cost
			whole = whole && isWhole
		}
		if held == 0 {
			continue
		}
		fieldsWithWords++
		exact := int64(0)
		if p.prioritizeExact && whole && typos == 0 && held == asked && len(d.words[in.name]) == held {
			exact = 1
		}
		wholeBit := int64(0)
		if whole {
			wholeBit = 1
		}
		value := int64(held)<<40 | int64(255-min(typos, 255))<<32 | exact<<24 | wholeBit<<20 | int64(in.weight)<<8
		best = max(best, value)
	}
	// All words count, wherever they stand: two words in two fields are better than one alone.
	all := int64(len(a.words))
	return all<<50 | best | int64(min(fieldsWithWords, 15))
}
