package search

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func testSchema(t interface{ Fatal(...any) }) *schema {
	s := &schema{Name: "c", Fields: []field{{Name: "title", Type: "string", Facet: true}, {Name: "price", Type: "int64", Facet: true}, {Name: "in", Type: "bool"}, {Name: "at_.*", Type: "float"}}}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Whatever comes in is read or refused, never more.
func FuzzWhatComesIn(f *testing.F) {
	for _, text := range []string{"title:=`a` && (price:[1..2] || in:true)", "price:asc,_text_match:desc", "price(a:[0,1],b:[1,])", "a:1,b:2", `{"id":"1","title":"x","price":1,"in":true}`, "(((", "title:[", "at_x:>1"} {
		f.Add(text)
	}
	s := testSchema(f)
	c := newCollection(*s)
	c.put(&document{id: "1", texts: map[string][]string{"title": {"A Blue Shirt"}}, numbers: map[string][]float64{"price": {3}}})
	f.Fuzz(func(t *testing.T, text string) {
		if filter, err := s.parseFilter(text); err == nil {
			c.allowed(filter)
		}
		if keys, err := s.parseSort(text); err == nil {
			c.order([]scored{{slot: 0}, {slot: 0}}, keys)
		}
		if facets, err := s.parseFacets(text); err == nil {
			for _, by := range facets {
				c.count(by, []scored{{slot: 0}}, &params{maxFacetValues: 3})
			}
		}
		_, _ = parsePins(text)
		_, _ = s.read([]byte(text))
		if answer, err := c.search(parameters{"q": text, "query_by": "title"}); err != nil || answer["found"] == nil {
			if _, refused := err.(*failure); !refused {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

// The distance is symmetric, zero for the same word alone, and one for one slip.
func TestOneSlipIsOneTypo(t *testing.T) {
	t.Parallel()
	letters := rapid.SampledFrom([]rune("abcdeé"))
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SliceOfN(letters, 2, 8).Draw(t, "word")
		if d := distance(word, word, 2, false); d != 0 {
			t.Fatalf("%q is %d from itself", string(word), d)
		}
		slipped := slices.Clone(word)
		at := rapid.IntRange(0, len(word)-1).Draw(t, "at")
		switch rapid.SampledFrom([]string{"drop", "add", "change", "swap"}).Draw(t, "slip") {
		case "drop":
			slipped = slices.Delete(slipped, at, at+1)
		case "add":
			slipped = slices.Insert(slipped, at, letters.Draw(t, "letter"))
		case "change":
			slipped[at] = letters.Draw(t, "letter")
		default:
			if at+1 < len(slipped) {
				slipped[at], slipped[at+1] = slipped[at+1], slipped[at]
			}
		}
		if d, back := distance(word, slipped, 2, false), distance(slipped, word, 2, false); d > 1 || d != back {
			t.Fatalf("%q and %q are %d and %d apart", string(word), string(slipped), d, back)
		}
		if d := distance(word, append(slices.Clone(word), 'x', 'y', 'z'), 2, true); d != 0 {
			t.Fatalf("%q is %d from a word that begins so", string(word), d)
		}
	})
}

// A document that goes leaves nothing behind: the index is that of the documents that are there.
func TestTheIndexIsThatOfTheDocuments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCollection(*testSchema(t))
		there := map[string]string{}
		words := rapid.SampledFrom([]string{"red", "blue", "shirt", "mug", "red shirt", "blue mug blue"})
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(t, "id")
			if rapid.Bool().Draw(t, "put") {
				there[id] = words.Draw(t, "title")
				c.put(&document{id: id, texts: map[string][]string{"title": {there[id]}}})
			} else {
				c.take(id)
				delete(there, id)
			}
		}
		for _, word := range []string{"red", "blue", "shirt", "mug"} {
			want := uint64(0)
			for _, title := range there {
				if slices.Contains(wordsOf(title, nil), word) {
					want++
				}
			}
			got := uint64(0)
			if d := c.words["title"]; d != nil && d.holders[word] != nil {
				got = d.holders[word].GetCardinality()
			}
			if got != want {
				t.Fatalf("%d documents hold %q, the index knows %d", want, word, got)
			}
		}
		if int(c.all.GetCardinality()) != len(there) || len(c.byID) != len(there) {
			t.Fatalf("%d documents, the index knows %d", len(there), len(c.byID))
		}
	})
}
