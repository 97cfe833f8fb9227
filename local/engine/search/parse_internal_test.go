package search

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"
)

func testSchema(t interface{ Fatal(...any) }) *schema {
	s := &schema{Name: "c", Fields: []field{{Name: "title", Type: "string", Facet: true}, {Name: "price", Type: "int64", Facet: true}, {Name: "in", Type: "bool"}, {Name: "at_.*", Type: "float"}}}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes a document with a title.
func put(t interface{ Fatal(...any) }, c *collection, id, title string) {
	text, err := json.Marshal(map[string]any{"id": id, "title": title, "price": 3, "in": true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.schema.read(text)
	if err != nil {
		t.Fatal(err)
	}
	c.put(d)
}

// Whatever comes in is read or refused, never more.
func FuzzWhatComesIn(f *testing.F) {
	for _, text := range []string{"title:=`a` && (price:[1..2] || in:true)", "price:asc,_text_match:desc", "price(a:[0,1],b:[1,])", "a:1,b:2", `{"id":"1","title":"x","price":1,"in":true}`, "(((", "title:[", "at_x:>1"} {
		f.Add(text)
	}
	s := testSchema(f)
	c := newCollection(*s)
	put(f, c, "1", "A Blue Shirt")
	f.Fuzz(func(t *testing.T, text string) {
		if filter, err := s.parseFilter(text); err == nil {
			c.allowed(filter)
		}
		if keys, err := s.parseSort(text); err == nil {
			c.order([]scored{{slot: 0}, {slot: 0}}, keys, 2)
		}
		if facets, err := s.parseFacets(text); err == nil {
			for _, by := range facets {
				c.count(by, []scored{{slot: 0}}, &params{maxFacetValues: 3})
			}
		}
		_, _ = parsePins(text)
		_, _ = s.read([]byte(text))
		if answer, err := c.search(parameters{"q": text, "query_by": "title"}); err != nil || answer["found"] == nil {
			if refused := new(failure); !errors.As(err, &refused) {
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
				put(t, c, id, there[id])
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
			if x := c.texts["title"]; x != nil && x.words.holders[word] != nil {
				got = x.words.holders[word].GetCardinality()
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

// Looking through a dictionary finds the words that comparing each by itself finds.
func TestADictionaryKnowsWhatIsNear(t *testing.T) {
	t.Parallel()
	word := rapid.StringOfN(rapid.SampledFrom([]rune("abcé")), 1, 7, -1)
	rapid.Check(t, func(t *rapid.T) {
		d := newDictionary()
		there := rapid.SliceOfN(word, 1, 60).Draw(t, "words")
		for i, each := range there {
			d.add(each, uint32(i))
			if i%7 == 0 {
				d.order() // words come before and after it was asked
			}
		}
		for i, each := range there {
			if i%3 == 0 {
				d.remove(each, uint32(i))
			}
		}
		asked, most, prefix := word.Draw(t, "asked"), rapid.IntRange(0, 2).Draw(t, "most"), rapid.Bool().Draw(t, "prefix")
		got := map[uint32]int{}
		d.near(asked, most, prefix, func(holders *roaring.Bitmap, typos int) {
			for it := holders.Iterator(); it.HasNext(); {
				got[it.Next()] = typos
			}
		})
		want := map[uint32]int{}
		for i, each := range there {
			if typos := distance([]rune(asked), []rune(each), most, prefix); i%3 != 0 && typos <= most {
				want[uint32(i)] = typos
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("near %q (%d, prefix %v) of %q: %v, want %v", asked, most, prefix, there, got, want)
		}
	})
}

// What is shown of many is what sorting all of them begins with.
func TestTheFirstOfManyAreThoseOfAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCollection(*testSchema(t))
		prices := rapid.SliceOfN(rapid.IntRange(0, 5), 1, 60).Draw(t, "prices")
		var found []scored
		for slot, price := range prices {
			if price > 0 {
				if c.numbers["price"] == nil {
					c.numbers["price"] = &numbers{}
				}
				c.numbers["price"].set(uint32(slot), []float64{float64(price)})
			}
			found = append(found, scored{slot: uint32(slot), text: int64(price % 2)})
		}
		keys, err := c.parseSort(rapid.SampledFrom([]string{"", "price:asc", "_text_match:asc,price:desc", "price(missing_values: first):desc"}).Draw(t, "order"))
		if err != nil {
			t.Fatal(err)
		}
		all := slices.Clone(found)
		c.order(all, keys, len(all))
		first := rapid.IntRange(0, len(found)).Draw(t, "first")
		c.order(found, keys, first)
		if !slices.Equal(found[:first], all[:first]) {
			t.Fatalf("the first %d are %v, want %v", first, found[:first], all[:first])
		}
	})
}
