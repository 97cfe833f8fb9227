package search

import (
	"slices"
	"strconv"
	"strings"

	"github.com/typesense/typesense-go/v3/typesense/api"

	"github.com/meridian-store/meridian/contract"
)

// result reads what the engine answered.
func (s *Service) result(q Query, answer *api.SearchResult) Result {
	r := Result{Hits: []Hit{}, Page: q.Page, PerPage: q.PerPage, Facets: Facets{Category: []Count{}, Brand: []Count{}, Price: []PriceCount{}, Stock: []Count{}, Options: map[string][]Count{}}}
	r.Found, r.TookMS = orZero(answer.Found), orZero(answer.SearchTimeMs)
	price := priceField(q.Currency, s.regions[q.Region])
	if answer.Hits != nil {
		for _, each := range *answer.Hits {
			r.Hits = append(r.Hits, s.hit(q, price, each))
		}
		r.DidYouMean = s.didYouMean(q, *answer.Hits)
	}
	if answer.FacetCounts != nil {
		for _, facet := range *answer.FacetCounts {
			r.Facets.read(facet, q.Currency)
		}
	}
	return r
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func (s *Service) hit(q Query, price string, from api.SearchResultHit) Hit {
	d := document(*from.Document)
	h := Hit{Summary: contract.Summary{ID: d.text("id"), Slug: d.text("slug"), Title: d.text("title"), Brand: d.text("brand"), Stock: contract.Band(d.text("stock")),
		Categories: d.texts("categories")}}
	if address := d.text("image_url"); address != "" {
		h.Image = &contract.Image{URL: address, Alt: d.text("image_alt")}
	}
	if amount, priced := d[price].(float64); priced {
		h.PriceFrom = &contract.Money{Amount: int64(amount), Currency: q.Currency}
	}
	matched := matchedStems(from)
	for field, text := range map[string]string{"title": h.Title, "brand": h.Brand} {
		if marked, any := s.language.marked(text, func(stem string) bool { return matched[stem] }); any {
			h.Highlights = append(h.Highlights, Highlight{Field: field, HTML: marked})
		}
	}
	slices.SortFunc(h.Highlights, func(a, b Highlight) int { return strings.Compare(b.Field, a.Field) })
	return h
}

func (d document) text(name string) string {
	text, _ := d[name].(string)
	return text
}

func (d document) texts(name string) []string {
	list, _ := d[name].([]any)
	texts := make([]string, 0, len(list))
	for _, each := range list {
		if text, isText := each.(string); isText {
			texts = append(texts, text)
		}
	}
	return texts
}

// matchedStems gives the stems by which the engine found a hit.
func matchedStems(hit api.SearchResultHit) map[string]bool {
	stems := map[string]bool{}
	if hit.Highlights == nil {
		return stems
	}
	var take func(value any)
	take = func(value any) {
		switch v := value.(type) {
		case string:
			stems[v] = true
		case []any:
			for _, each := range v {
				take(each)
			}
		}
	}
	for _, highlight := range *hit.Highlights {
		if highlight.MatchedTokens != nil {
			for _, each := range *highlight.MatchedTokens {
				take(each)
			}
		}
	}
	return stems
}

// didYouMean is the query with those of its words replaced that nothing holds as they stand, by the words of the best hit that are like them.
func (s *Service) didYouMean(q Query, hits []api.SearchResultHit) string {
	if len(hits) == 0 || q.Text == "" {
		return ""
	}
	matched := matchedStems(hits[0])
	best := document(*hits[0].Document)
	words := map[string]string{} // of the hit, by stem
	for _, word := range wordsOf(best.text("title") + " " + best.text("brand")) {
		words[s.language.stem(word)] = word
	}
	changed := false
	var meant []string
	asked := wordsOf(q.Text)
	for i, word := range asked {
		stem := s.language.stem(word)
		other := word
		if !matched[stem] && !s.language.silent[word] {
			for candidate := range matched {
				beginsSo := i == len(asked)-1 && strings.HasPrefix(candidate, stem)
				if shown := words[candidate]; shown != "" && !beginsSo && alike(stem, candidate) {
					other, changed = shown, true
				}
			}
		}
		meant = append(meant, other)
	}
	if !changed {
		return ""
	}
	return strings.Join(meant, " ")
}

// alike says whether two words could be one, mistyped: they share most of their pairs of letters.
func alike(a, b string) bool {
	pairs := func(word string) map[string]bool {
		set := map[string]bool{}
		letters := []rune(" " + word + " ")
		for i := range len(letters) - 1 {
			set[string(letters[i:i+2])] = true
		}
		return set
	}
	x, y := pairs(a), pairs(b)
	common := 0
	for pair := range x {
		if y[pair] {
			common++
		}
	}
	const enough = 0.4
	return float64(2*common)/float64(len(x)+len(y)) >= enough
}

// read takes one of the engine's facets over.
func (f *Facets) read(facet api.FacetCounts, currency string) {
	if facet.FieldName == nil || facet.Counts == nil {
		return
	}
	for _, count := range *facet.Counts {
		value, n := *count.Value, orZero(count.Count)
		switch *facet.FieldName {
		case "place_names":
			slug, label, _ := strings.Cut(value, placeSign)
			f.Category = append(f.Category, Count{Value: slug, Label: label, Count: n})
		case "brand":
			if value != "" {
				f.Brand = append(f.Brand, Count{Value: value, Count: n})
			}
		case "stock":
			f.Stock = append(f.Stock, Count{Value: value, Count: n})
		case "options":
			if name, option, isOption := strings.Cut(value, "="); isOption {
				f.Options[name] = append(f.Options[name], Count{Value: option, Count: n})
			}
		default:
			f.readPrice(value, n, currency)
		}
	}
	slices.SortFunc(f.Price, func(a, b PriceCount) int { return int(min(max(a.Min-b.Min, -1), 1)) })
}

func (f *Facets) readPrice(place string, n int, currency string) {
	i, err := strconv.Atoi(place)
	if err != nil || i < 0 || i >= len(priceSteps) {
		return
	}
	p := PriceCount{Min: priceSteps[i] * unit(currency), Count: n}
	if i+1 < len(priceSteps) {
		most := priceSteps[i+1]*unit(currency) - 1
		p.Max = &most
	}
	f.Price = append(f.Price, p)
}
