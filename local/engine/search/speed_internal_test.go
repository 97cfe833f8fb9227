package search

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The figures of docs/engines.md: go test ./local/engine/search -run '^$' -bench . -benchtime 3s

var (
	benchKinds   = []string{"shirt", "mug", "bicycle", "lamp", "chair", "rucksack", "phone", "jacket", "table", "kettle", "notebook", "guitar"}
	benchColours = []string{"blue", "red", "green", "black", "white", "yellow", "grey", "brown"}
	benchSizes   = []string{"XS", "S", "M", "L", "XL"}
)

// shop fills an engine with products as the shop's are: many words, some in most products and most in few.
func shop(b *testing.B, products int) *collection {
	b.Helper()
	e, err := Open(b.TempDir(), "key")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	facet := func(name, kind string) field { return field{Name: name, Type: kind, Facet: true} }
	c, err := e.createCollection(schema{Name: "products", DefaultSortingField: "sales", Fields: []field{
		{Name: "title", Type: "string"}, {Name: "about", Type: "string"}, facet("brand", "string"), facet("places", "string[]"), facet("options", "string[]"),
		{Name: "in_stock", Type: "bool"}, {Name: "sales", Type: "int64"}, facet("price_.*", "int64"),
	}})
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	rare := rand.NewZipf(random, 1.1, 1, 40_000)
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for i := range products {
		kind, colour := benchKinds[random.IntN(len(benchKinds))], benchColours[random.IntN(len(benchColours))]
		about := make([]string, 40)
		for n := range about {
			about[n] = benchWord(rare.Uint64())
		}
		if err := encoder.Encode(map[string]any{
			"id": fmt.Sprint(i), "title": fmt.Sprintf("%s %s %s", colour, benchWord(rare.Uint64()), kind), "about": strings.Join(about, " "),
			"brand": "Brand " + benchWord(uint64(random.IntN(300))), "places": []string{kind + "s", "all"}, "options": []string{"Size=" + benchSizes[i%5], "Colour=" + colour},
			"in_stock": random.IntN(10) > 0, "sales": random.IntN(10_000), "price_USD": 100 + random.IntN(50_000),
		}); err != nil {
			b.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	size := lines.Len()
	runtime.GC()
	runtime.ReadMemStats(&before)
	begun := time.Now()
	if err := e.importLines(c, &lines, actionUpsert, bufio.NewWriter(io.Discard)); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begun)
	lines.Reset()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.Logf("%d products, %d MB as JSON: indexed and on disk in %.1f s, %d MB in memory", products, size>>20, took.Seconds(), (after.HeapAlloc-before.HeapAlloc)>>20)
	return c
}

// benchWord is a made-up word for a number, never the same for two.
func benchWord(n uint64) string {
	syllables := []string{"ba", "do", "ki", "lu", "me", "no", "pra", "ri", "sto", "tu", "ve", "zan"}
	var word strings.Builder
	for word.WriteString(syllables[n%12]); n >= 12; {
		n /= 12
		word.WriteString(syllables[n%12])
	}
	return word.String() + "n"
}

func BenchmarkSearch(b *testing.B) {
	for _, products := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(products), func(b *testing.B) {
			c := shop(b, products)
			facets := "places,brand,options,price_USD(0:[0, 2500], 1:[2500, 10000], 2:[10000, ])"
			for _, each := range []struct {
				name string
				in   parameters
			}{
				{"word", parameters{"q": "shirt", "query_by": "title,brand,places,about"}},
				{"word and four facets", parameters{"q": "shirt", "query_by": "title,brand,places,about", "facet_by": facets}},
				{"three words", parameters{"q": "blue dokin shirt", "query_by": "title,brand,places,about", "facet_by": facets}},
				{"everything, four facets", parameters{"q": "*", "facet_by": facets}},
				{"filters", parameters{"q": "*", "filter_by": "places:=shirts && in_stock:=true && price_USD:[1000..9000]", "facet_by": facets}},
				{"by price", parameters{"q": "*", "sort_by": "price_USD:asc"}},
				{"typo", parameters{"q": "bycicle", "query_by": "title,brand,places,about"}},
				{"nothing like it", parameters{"q": "qqqqqqq xxxxxxxx", "query_by": "title,brand,places,about"}},
				{"first letters", parameters{"q": "bic", "query_by": "title,brand", "per_page": "5"}},
			} {
				b.Run(each.name, func(b *testing.B) { measure(b, c, each.in) })
			}
		})
	}
}

// cpuTime is what this process has used of the processors, which others who use them too do not change much.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// measure has four clients search at once, and gives the 99th percentile too.
func measure(b *testing.B, c *collection, in parameters) {
	b.ReportAllocs()
	const clients = 4
	var (
		all   []time.Duration
		mu    sync.Mutex
		group sync.WaitGroup
	)
	asked := make(chan struct{})
	for range clients {
		group.Go(func() {
			var own []time.Duration
			for range asked {
				begun := time.Now()
				if _, err := c.search(in); err != nil {
					b.Error(err)
				}
				own = append(own, time.Since(begun))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
		})
	}
	used := cpuTime(b)
	for b.Loop() {
		asked <- struct{}{}
	}
	close(asked)
	group.Wait()
	used = cpuTime(b) - used
	b.ReportMetric(float64(used.Microseconds())/1000/float64(len(all)), "cpu-ms/op")
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}
