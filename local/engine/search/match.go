package search

import (
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
)

// params are a search's, read and bounded.
type params struct {
	q                     string
	by                    []searched
	numTypos              int
	minLen1, minLen2      int
	typoThreshold         int
	dropThreshold         int
	prioritizeExact       bool
	filter                condition
	sort                  []sortKey
	facets                []facetBy
	maxFacetValues        int
	facetQuery            string
	page, perPage, offset int
	include, exclude      []string
	highlightFields       []string
	highlightFull         []string
	highlightStart        string
	highlightEnd          string
	pinned                []pin
	hidden                []string
	enableOverrides       bool
	prefixGlobal          bool
	readings              [][]string // the ways in which synonyms let the query be read
}

// searched is a field that the words are looked for in.
type searched struct {
	field  *field
	name   string
	weight int
	typos  int
	prefix bool
}

// pin puts a document at a place, counted from 1; one that is filtered only if the search's filters let it be found.
type pin struct {
	id       string
	position int
	filtered bool
}

// occurrence is, for one word of the query and one field, the documents that hold it, by how well. A document may be in several.
type occurrence struct {
	exact, prefixed, oneTypo, twoTypos *roaring.Bitmap
}

func (o *occurrence) union() *roaring.Bitmap {
	return roaring.FastOr(o.exact, o.prefixed, o.oneTypo, o.twoTypos)
}

// upTo leaves out what has more typos.
func (o *occurrence) upTo(typos int) *occurrence {
	within := *o
	if typos < 2 {
		within.twoTypos = nothing
	}
	if typos < 1 {
		within.oneTypo = nothing
	}
	return &within
}

// nothing is never written to.
var nothing = roaring.New()

// maxExpansions bounds how many words of a dictionary one word of a query stands for.
const maxExpansions = 1000

// asked is a word of the query in a field; the last of the query's words may be the beginning of one.
type asked struct {
	word  string
	field int
	last  bool
}

// lookup remembers where a query's words are, for the several ways in which it is read.
type lookup struct {
	*collection
	*params
	whole map[asked]*occurrence // without typos
	slips map[asked]*occurrence // with them
}

// occurrence looks a word up in a field, with so many typos.
func (l *lookup) occurrence(a asked, budget int) *occurrence {
	in := l.by[a.field]
	x := l.texts[in.name]
	if x == nil {
		return &occurrence{nothing, nothing, nothing, nothing}
	}
	prefix := in.prefix && a.last
	o := l.whole[a]
	if o == nil {
		o = &occurrence{nothing, nothing, nothing, nothing}
		if holders := x.words.holders[a.word]; holders != nil {
			o.exact = holders
		}
		if prefix {
			o.prefixed = x.words.prefixed(a.word)
		}
		l.whole[a] = o
	}
	most := min(in.typos, typosFor(utf8.RuneCountInString(a.word), l.params))
	if min(budget, most) == 0 {
		return o
	}
	slips := l.slips[a]
	if slips == nil {
		slips = &occurrence{o.exact, o.prefixed, roaring.New(), roaring.New()}
		x.words.near(a.word, most, prefix, func(holders *roaring.Bitmap, typos int) {
			switch typos {
			case 1:
				slips.oneTypo.Or(holders)
			case 2:
				slips.twoTypos.Or(holders)
			}
		})
		l.slips[a] = slips
	}
	return slips.upTo(budget)
}

// attempt is one way of reading the query: some of its words, with so many typos.
type attempt struct {
	reading int
	words   []string
	places  [][]*occurrence // by word, then by field
	found   *roaring.Bitmap // the documents that hold all of the words
}

func (l *lookup) try(reading int, words []string, budget int, within *roaring.Bitmap) attempt {
	a := attempt{reading: reading, words: words, found: within.Clone()}
	for i, word := range words {
		row := make([]*occurrence, len(l.by))
		anywhere := roaring.New()
		for j := range l.by {
			row[j] = l.occurrence(asked{word, j, i == len(words)-1}, budget)
			anywhere.Or(row[j].union())
		}
		a.places = append(a.places, row)
		a.found.And(anywhere)
	}
	return a
}

// scored is a document that was found, how well its text matches, and by which reading of the query.
type scored struct {
	text    int64
	slot    uint32
	reading int32
}

// matches finds the documents of a query, whose synonyms give it several readings: with as few typos as give enough, then with fewer words,
// dropped from the right.
func (c *collection) matches(readings [][]string, within *roaring.Bitmap, p *params) []scored {
	l := &lookup{collection: c, params: p, whole: map[asked]*occurrence{}, slips: map[asked]*occurrence{}}
	var found []scored
	for dropped, longest := 0, longestOf(readings); dropped < longest && (dropped == 0 || len(found) < p.dropThreshold); dropped++ {
		for budget := 0; budget <= p.numTypos && (budget == 0 || len(found) < p.typoThreshold); budget++ {
			for reading, words := range readings {
				if dropped < len(words) {
					found = better(found, l.score(l.try(reading, words[:len(words)-dropped], budget, within), len(words)))
				}
			}
		}
	}
	return found
}

func longestOf(readings [][]string) int {
	longest := 0
	for _, words := range readings {
		longest = max(longest, len(words))
	}
	return longest
}

// better keeps of each document the best score. Both lists are in the order of slots.
func better(a, b []scored) []scored {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	both := make([]scored, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].slot < b[0].slot:
			both, a = append(both, a[0]), a[1:]
		case a[0].slot > b[0].slot:
			both, b = append(both, b[0]), b[1:]
		default:
			best := a[0]
			if b[0].text > best.text {
				best = b[0]
			}
			both, a, b = append(both, best), a[1:], b[1:]
		}
	}
	return append(append(both, a...), b...)
}
