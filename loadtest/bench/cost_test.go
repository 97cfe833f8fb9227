package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The figures that bench prints are those that services' tests assert. When a service's cost changes, its test changes, and then
// this one fails until bench says the same.
func TestTheCostsAreAssertedByTheServices(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]part{
		"prices": sqlPrices, "order": sqlOrder, "reserve": sqlReserve, "open": sqlPayOpen, "settle": sqlPaySettle,
	} {
		if !asserted(t, p) {
			t.Errorf("%s: no assertion of %d round trips and %d commits is left beside %q in %s", name, p.SQL, p.Commits, p.proof.words, p.proof.file)
		}
	}
}

// A search that finds everything proves nothing.
func TestACostThatNoTestAssertsIsNotFound(t *testing.T) {
	t.Parallel()
	for _, p := range []part{
		{cost{SQL: 7, Commits: 1}, sqlReserve.proof},
		{cost{SQL: 2}, sqlPrices.proof},
		{cost{SQL: 1}, proof{sqlPrices.proof.file, `{"no such path", func`}},
	} {
		if asserted(t, p) {
			t.Errorf("%+v was found", p)
		}
	}
}

// asserted finds the words and, in the lines that follow up to the next entry, both figures.
func asserted(t *testing.T, p part) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(p.proof.file)))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), p.proof.words)
	if !found {
		return false
	}
	figures := figuresOf(p)
	if figures.MatchString(p.proof.words) {
		return true
	}
	entry, _, _ := strings.Cut(after, "\n\t\t{\"")
	return figures.MatchString(entry)
}

func figuresOf(p part) *regexp.Regexp {
	return regexp.MustCompile(`[^0-9]` + strconv.Itoa(p.SQL) + `, ` + strconv.Itoa(p.Commits) + `([^0-9]|$)`)
}

func TestAPurchaseCostsWhatItsPartsCost(t *testing.T) {
	t.Parallel()
	if want := (cost{Hops: 16, Redis: 7, SQL: 18, Commits: 5}); costPurchase != want {
		t.Errorf("a purchase costs %+v, docs/performance.md says %+v", costPurchase, want)
	}
}
