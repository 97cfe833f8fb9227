package search

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/redis/rueidis"
)

// What makes a query popular.
const (
	// countEvery is how often queries are counted: one counts once in that time, however often it is asked, so that nobody makes a query
	// popular at one sitting.
	countEvery = time.Minute
	// popularFrom is in how many such times within popularDays it has to be asked.
	popularFrom = 5
	popularDays = 7
	// What is heard between two counts, kept of a day, and suggested from, is bounded.
	maxHeard, maxOfDay, maxPopular  = 1_000, 5_000, 2_000
	maxPopularWords, maxPopularText = 5, 60
)

// popular counts what the region's shoppers look for, without a word of their own: a query counts only when each of its words is a word of
// the product that it finds first, so that there is nothing in it that is not in the catalog. Who asks is not known here.
type popular struct {
	redis  rueidis.Client
	prefix string // of keys
	now    func() time.Time
	log    *slog.Logger

	mu    sync.Mutex
	heard map[string]bool
	top   []popularQuery // by text
}

type popularQuery struct {
	text  string
	count int
}

// hear remembers a query until the next count; matched are the stems by which its first hit was found.
func (p *popular) hear(l language, text string, matched map[string]bool) {
	words := wordsOf(text)
	spoken := strings.Join(words, " ")
	if len(words) == 0 || len(words) > maxPopularWords || len(spoken) > maxPopularText || !strings.ContainsFunc(spoken, unicode.IsLetter) {
		return
	}
	for _, word := range words {
		if !l.silent[word] && !matched[l.stem(word)] {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.heard) < maxHeard {
		if p.heard == nil {
			p.heard = map[string]bool{}
		}
		p.heard[spoken] = true
	}
}

// beginning gives the most popular queries that begin so.
func (p *popular) beginning(text string, most int) []string {
	begin := strings.Join(wordsOf(text), " ")
	p.mu.Lock()
	top := p.top
	p.mu.Unlock()
	from, _ := slices.BinarySearchFunc(top, begin, func(q popularQuery, text string) int { return strings.Compare(q.text, text) })
	var found []popularQuery
	for _, q := range top[from:] {
		if !strings.HasPrefix(q.text, begin) {
			break
		}
		found = append(found, q)
	}
	slices.SortStableFunc(found, func(a, b popularQuery) int { return b.count - a.count })
	texts := []string{}
	for _, q := range found[:min(len(found), most)] {
		texts = append(texts, q.text)
	}
	return texts
}

// popularPrefix leads the keys of the counts of each day's queries.
const popularPrefix = "search:{popular}:"

func (p *popular) key(day time.Time) string {
	return p.prefix + popularPrefix + day.UTC().Format(time.DateOnly)
}

// count adds what was heard to the day's queries, and learns which are popular. A Redis that is away costs a few counts and nothing else.
func (p *popular) count(ctx context.Context) error {
	p.mu.Lock()
	heard := p.heard
	p.heard = nil
	p.mu.Unlock()
	today := p.now()
	if err := p.add(ctx, p.key(today), heard); err != nil {
		p.log.WarnContext(ctx, "Queries could not be counted.", "error", err.Error())
		return nil
	}
	sums := map[string]int{}
	for day := range popularDays {
		if err := p.read(ctx, p.key(today.AddDate(0, 0, -day)), sums); err != nil {
			p.log.WarnContext(ctx, "Popular queries could not be read.", "error", err.Error())
			return nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.top = mostPopular(sums)
	return nil
}

func mostPopular(sums map[string]int) []popularQuery {
	var all []popularQuery
	for text, count := range sums {
		if count >= popularFrom {
			all = append(all, popularQuery{text, count})
		}
	}
	slices.SortFunc(all, func(a, b popularQuery) int { return b.count - a.count })
	all = all[:min(len(all), maxPopular)]
	slices.SortFunc(all, func(a, b popularQuery) int { return strings.Compare(a.text, b.text) })
	return all
}

func (p *popular) add(ctx context.Context, key string, heard map[string]bool) error {
	if len(heard) == 0 {
		return nil
	}
	var commands rueidis.Commands
	for text := range heard {
		commands = append(commands, p.redis.B().Zincrby().Key(key).Increment(1).Member(text).Build())
	}
	commands = append(commands, p.redis.B().Zremrangebyrank().Key(key).Start(0).Stop(-maxOfDay-1).Build(),
		p.redis.B().Expire().Key(key).Seconds(int64((popularDays+1)*24*time.Hour/time.Second)).Build())
	for _, answer := range p.redis.DoMulti(ctx, commands...) {
		if err := answer.Error(); err != nil {
			return fmt.Errorf("count queries: %w", err)
		}
	}
	return nil
}

func (p *popular) read(ctx context.Context, key string, into map[string]int) error {
	scores, err := p.redis.Do(ctx, p.redis.B().Zrange().Key(key).Min("0").Max(strconv.Itoa(maxPopular-1)).Rev().Withscores().Build()).AsZScores()
	if err != nil {
		return fmt.Errorf("read counts of queries: %w", err)
	}
	for _, s := range scores {
		into[s.Member] += int(s.Score)
	}
	return nil
}
