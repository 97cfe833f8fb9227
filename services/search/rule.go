package search

import (
	"fmt"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// The kinds of rules by which merchants change what a search finds.
const (
	kindSynonyms = "synonyms"
	kindPins     = "pins"
)

const (
	// maxRules bounds the rules of a kind: each search is held against all.
	maxRules  = 500
	maxWords  = 20
	maxWord   = 60
	maxPinned = 20
	maxHidden = 50
)

// Synonyms are words that mean the same to shoppers.
type Synonyms struct {
	Words []string `json:"words" doc:"Words, or short phrases; each is found by every other"`
	Root  string   `json:"root,omitempty" doc:"When given, it finds the words, and they find neither it nor one another"`
}

// Pins are products that stand at chosen places in what a query finds, or are not shown to it.
type Pins struct {
	Query  string   `json:"query" doc:"Words that a shopper looks for"`
	Match  string   `json:"match,omitempty" enum:"exact,contains" default:"exact" doc:"Whether the query is these words, or has them among others"`
	Pinned []Pin    `json:"pinned,omitempty"`
	Hidden []string `json:"hidden,omitempty" doc:"Ids of products that are not shown to this query"`
}

// Pin is a product at a place. It is shown there unless a filter leaves it out.
type Pin struct {
	ProductID string `json:"product_id"`
	Position  int    `json:"position" doc:"1 is the first hit's"`
}

// Rule is what a merchant calls synonyms or pins.
type Rule[T any] struct {
	Name      string    `json:"name"`
	Rule      T         `json:"rule"`
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
}

// validate refuses synonyms that say nothing.
func (s Synonyms) validate(l language) error {
	least := 2
	if s.Root != "" {
		least = 1
		if err := checkWord(l, "root", s.Root); err != nil {
			return err
		}
	}
	if len(s.Words) < least || len(s.Words) > maxWords {
		return contract.Invalid("words", "there are not between %d and %d", least, maxWords)
	}
	for i, word := range s.Words {
		if err := checkWord(l, fmt.Sprintf("words[%d]", i), word); err != nil {
			return err
		}
	}
	return nil
}

func checkWord(l language, field, word string) error {
	if err := checkText(field, word, maxWord); err != nil {
		return err
	}
	if len(l.stems(word)) == 0 {
		return contract.Invalid(field, "is no word")
	}
	return nil
}

// validate refuses pins for no query, or of nothing.
func (p Pins) validate(l language) error {
	if err := checkText("query", p.Query, MaxQuery); err != nil {
		return err
	}
	switch {
	case len(l.asked(p.Query)) == 0:
		return contract.Invalid("query", "has no word")
	case p.Match != "" && p.Match != "exact" && p.Match != "contains":
		return contract.Invalid("match", "is neither exact nor contains")
	case len(p.Pinned)+len(p.Hidden) == 0:
		return contract.Invalid("pinned", "nothing is pinned or hidden")
	case len(p.Pinned) > maxPinned:
		return contract.Invalid("pinned", "there are more than %d", maxPinned)
	case len(p.Hidden) > maxHidden:
		return contract.Invalid("hidden", "there are more than %d", maxHidden)
	}
	named, taken := map[string]bool{}, map[int]bool{}
	for i, pin := range p.Pinned {
		field := fmt.Sprintf("pinned[%d]", i)
		if err := checkProductID(field+".product_id", pin.ProductID, named); err != nil {
			return err
		}
		if pin.Position < 1 || pin.Position > maxPinned || taken[pin.Position] {
			return contract.Invalid(field+".position", "is not between 1 and %d, or taken", maxPinned)
		}
		taken[pin.Position] = true
	}
	for i, id := range p.Hidden {
		if err := checkProductID(fmt.Sprintf("hidden[%d]", i), id, named); err != nil {
			return err
		}
	}
	return nil
}

// checkProductID refuses what no product is called, and one that was named before. That it exists is not asked: it may be published later.
func checkProductID(field, id string, named map[string]bool) error {
	if parsed, err := geo.ParseID(id); err != nil || parsed.Kind != "prd" {
		return contract.Invalid(field, "is no product's id")
	}
	if named[id] {
		return contract.Invalid(field, "%s is named twice", id)
	}
	named[id] = true
	return nil
}
