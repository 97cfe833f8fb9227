package search

import (
	"maps"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// synonym makes some words stand for others: all for each other, or, with a root, the root for the others alone. Its JSON is Typesense's.
type synonym struct {
	ID       string   `json:"id"`
	Root     string   `json:"root"`
	Synonyms []string `json:"synonyms"`
}

func (s *synonym) check() error {
	if len(s.Synonyms) == 0 || slices.Contains(s.Synonyms, "") {
		return badRequest("Could not find an array of `synonyms`")
	}
	return nil
}

// maxReadings bounds in how many ways synonyms let a query be read.
const maxReadings = 20

// readings gives the query's words, and each way in which synonyms let them be read.
func (c *collection) readings(words []string) [][]string {
	all := [][]string{words}
	for _, id := range slices.Sorted(maps.Keys(c.synonyms)) {
		s := c.synonyms[id]
		from := s.Synonyms
		if s.Root != "" {
			from = []string{s.Root}
		}
		for _, phrase := range from {
			said := wordsOf(phrase, nil)
			at := indexOf(words, said)
			if at < 0 {
				continue
			}
			for _, other := range s.Synonyms {
				meant := wordsOf(other, nil)
				if len(meant) == 0 || slices.Equal(meant, said) || len(all) == maxReadings {
					continue
				}
				all = append(all, slices.Concat(words[:at], meant, words[at+len(said):]))
			}
		}
	}
	return all
}

func indexOf(words, part []string) int {
	for i := 0; len(part) > 0 && i+len(part) <= len(words); i++ {
		if slices.Equal(words[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// override puts documents at places, or takes them out, for some queries. Its JSON is Typesense's.
type override struct {
	ID   string `json:"id"`
	Rule struct {
		Query    string   `json:"query,omitempty"`
		Match    string   `json:"match,omitempty"`
		FilterBy string   `json:"filter_by,omitempty"`
		Tags     []string `json:"tags,omitempty"`
	} `json:"rule"`
	Includes []struct {
		ID       string `json:"id"`
		Position int    `json:"position"`
	} `json:"includes,omitempty"`
	Excludes []struct {
		ID string `json:"id"`
	} `json:"excludes,omitempty"`
	FilterBy            string `json:"filter_by,omitempty"`
	SortBy              string `json:"sort_by,omitempty"`
	RemoveMatchedTokens *bool  `json:"remove_matched_tokens,omitempty"`
	FilterCuratedHits   *bool  `json:"filter_curated_hits,omitempty"`
	StopProcessing      *bool  `json:"stop_processing,omitempty"`
}

func (o *override) check() error {
	switch {
	case o.Rule.Query == "" || o.Rule.Match != "exact" && o.Rule.Match != "contains":
		return badRequest("The `rule` definition must contain a `query` and `match`, which is either `exact` or `contains`.")
	case len(o.Includes) == 0 && len(o.Excludes) == 0:
		return badRequest("Must contain one of: `includes`, `excludes`.")
	}
	for _, each := range o.Includes {
		if each.ID == "" || each.Position < 1 {
			return badRequest("Each of `includes` needs an `id` and a `position` from 1 on.")
		}
	}
	return nil
}

// applies says whether a query's words are those of the rule.
func (o *override) applies(words []string) bool {
	wanted := wordsOf(o.Rule.Query, nil)
	if o.Rule.Match == "exact" {
		return slices.Equal(words, wanted)
	}
	return indexOf(words, wanted) >= 0
}

// curate adds what overrides pin and hide to what the request does.
func (c *collection) curate(words []string, p *params) {
	if !p.enableOverrides {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(c.overrides)) {
		o := c.overrides[id]
		if !o.applies(words) {
			continue
		}
		for _, each := range o.Includes {
			p.pinned = append(p.pinned, pin{each.ID, each.Position, o.FilterCuratedHits != nil && *o.FilterCuratedHits})
		}
		for _, each := range o.Excludes {
			p.hidden = append(p.hidden, each.ID)
		}
	}
}

// arrange orders what was found, as far as it is shown, and puts the pinned documents at their places. They are shown whether or not the words
// are in them.
func (c *collection) arrange(found []scored, within *roaring.Bitmap, p *params) []scored {
	hidden := map[uint32]bool{}
	for _, id := range p.hidden {
		if slot, there := c.byID[id]; there {
			hidden[slot] = true
		}
	}
	var pins []pin
	pinned := map[uint32]bool{}
	for _, each := range p.pinned {
		if slot, there := c.byID[each.id]; there && !hidden[slot] && !pinned[slot] && (!each.filtered || within.Contains(slot)) {
			pins, pinned[slot] = append(pins, each), true
		}
	}
	rest := found
	if len(hidden) > 0 || len(pinned) > 0 {
		rest = slices.DeleteFunc(found, func(s scored) bool { return hidden[s.slot] || pinned[s.slot] })
	}
	c.order(rest, p.sort, p.offset+p.perPage)
	slices.SortStableFunc(pins, func(a, b pin) int { return a.position - b.position })
	for _, each := range pins {
		at := min(each.position-1, len(rest))
		rest = slices.Insert(rest, at, scored{slot: c.byID[each.id]})
	}
	return rest
}

// parsePins reads pinned_hits: id:position,id:position.
func parsePins(text string) ([]pin, error) {
	var pins []pin
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		id, place, found := cutLast(part, ":")
		position, err := atoi(place)
		if !found || err != nil || position < 1 {
			return nil, badRequest("Parameter `pinned_hits` is malformed.")
		}
		pins = append(pins, pin{id: id, position: position})
	}
	return pins, nil
}
