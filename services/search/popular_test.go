package search

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

func openPopular(t *testing.T, now func() time.Time) *popular {
	t.Helper()
	address, password := enginetest.Redis(t)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, Password: password, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &popular{redis: client, prefix: enginetest.Prefix(), now: now, log: slog.New(slog.DiscardHandler)}
}

func TestAQueryIsPopularThatIsAskedAgainAndAgain(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	now := day
	p := openPopular(t, func() time.Time { return now })
	shirt := map[string]bool{"blue": true, "shirt": true, "short": true}
	for minute := range 2 * popularFrom {
		for range 50 {
			p.hear(english, "Blue  SHIRTS", shirt)
		}
		p.hear(english, "blue shorts", shirt)
		if minute < popularFrom-1 {
			p.hear(english, "blue", shirt)
		}
		if minute%3 == 0 {
			p.hear(english, "the blue shirt", shirt)
			now = now.AddDate(0, 0, 1) // counts of several days are added up
		}
		if err := p.count(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p.hear(english, "blue shirts", shirt)
	if err := p.count(t.Context()); err != nil {
		t.Fatal(err)
	}
	for begin, want := range map[string][]string{
		"bl": {"blue shirts", "blue shorts"}, "Blue SHI": {"blue shirts"}, "blue sho": {"blue shorts"}, "x": {}, "the": {},
	} {
		if got := p.beginning(begin, 4); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", begin, got, want)
		}
	}
	if got := p.beginning("b", 1); !slices.Equal(got, []string{"blue shirts"}) {
		t.Errorf("the one most popular: %q", got)
	}
	// Another instance knows the same; in a week all is forgotten.
	other := &popular{redis: p.redis, prefix: p.prefix, now: p.now, log: p.log}
	if err := other.count(t.Context()); err != nil || len(other.beginning("blue", 4)) != 2 {
		t.Errorf("another instance: %q (%v)", other.beginning("blue", 4), err)
	}
	now = now.AddDate(0, 0, popularDays)
	if err := p.count(t.Context()); err != nil || len(p.beginning("blue", 4)) != 0 {
		t.Errorf("a week later: %q (%v)", p.beginning("blue", 4), err)
	}
}

// Nothing that a shopper types is kept unless it is in the catalog already.
func TestWhatIsNotInTheCatalogIsNotRemembered(t *testing.T) {
	t.Parallel()
	p := openPopular(t, time.Now)
	matched := map[string]bool{"blue": true, "shirt": true, "4": true}
	for _, text := range []string{"", "  ", "jane@example.com", "blue shirt for jane", "+1 555 0100", "4 4", "shir", "blue blue blue blue blue shirt", "blau"} {
		p.hear(english, text, matched)
	}
	if len(p.heard) != 0 {
		t.Errorf("heard %v", p.heard)
	}
	p.hear(english, "4 shirts", matched)
	if len(p.heard) != 1 {
		t.Errorf("heard %v", p.heard)
	}
	for i := range 2 * maxHeard {
		p.hear(english, fmt.Sprintf("blue %d", i), map[string]bool{"blue": true, fmt.Sprint(i): true})
	}
	if len(p.heard) != maxHeard {
		t.Errorf("heard %d", len(p.heard))
	}
}

func TestWhatIsPopularIsSuggested(t *testing.T) {
	t.Parallel()
	url, key := enginetest.Search(t)
	from := &shelf{products: map[string]contract.ProductDocument{}}
	for _, p := range clothes() {
		from.set(p)
	}
	x := openIndex(t, url, key, from, nil)
	if err := x.mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &Service{index: x, engine: x.engine, language: english, popular: openPopular(t, time.Now)}
	for range popularFrom {
		for _, text := range []string{"oxford shirts", "oxfrod shirt", "oxf", "oxford jane"} {
			input := &searchInput{Q: text, Sort: SortRelevance, Page: 1, PerPage: 20, Currency: "USD"}
			if _, err := s.getSearch(t.Context(), input); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.popular.count(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	found, err := s.suggest(t.Context(), "Ox")
	if err != nil || !slices.Equal(found.Queries, []string{"oxford shirts"}) || len(found.Products) != 1 {
		t.Errorf("%+v (%v)", found, err)
	}
}
