package search

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/seed"
	"github.com/meridian-store/meridian/feed/shopify"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// leastNDCG is how good the order of the first ten hits has to be, on average: 1 is the best that there could be.
const leastNDCG = 0.9

// judgement is what shoppers mean by a query: testdata/judged.tsv.
type judgement struct {
	kind, query  string
	right, ofUse string
}

func readJudgements(t *testing.T) []judgement {
	t.Helper()
	file, err := os.Open("testdata/judged.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []judgement
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		columns := append(strings.Split(lines.Text(), "\t"), "")
		if len(columns) < 4 {
			t.Fatalf("%q is no judgement", lines.Text())
		}
		all = append(all, judgement{columns[0], columns[1], columns[2], columns[3]})
	}
	return all
}

// fits says whether a rule holds for a product, by its own words alone: the engine has no part in it.
func fits(rule string, p contract.ProductInput) bool {
	if rule == "" || rule == "none" {
		return false
	}
	for part := range strings.SplitSeq(rule, " & ") {
		// A brand's name may hold the sign.
		of, wanted, found := strings.Cut(part, ":")
		if !found {
			continue
		}
		texts := map[string][]string{"title": {p.Title}, "brand": {p.Brand}, "cat": p.Categories, "tag": p.Tags}[of]
		if of == "color" {
			for _, option := range p.Options {
				if strings.EqualFold(option.Name, "color") {
					texts = append(texts, option.Values...)
				}
			}
		}
		if !slices.ContainsFunc(texts, func(text string) bool { return holdsPhrase(text, wanted) }) {
			return false
		}
	}
	return true
}

// holdsPhrase says whether words stand in a text one after the other, in either number.
func holdsPhrase(text, phrase string) bool {
	plain := func(text string) string {
		words := strings.FieldsFunc(strings.ToLower(strings.ReplaceAll(text, "'", "")), func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127)
		})
		for i, word := range words {
			if len(word) > 3 && !strings.HasSuffix(word, "ss") {
				words[i] = strings.TrimSuffix(word, "s")
			}
		}
		return " " + strings.Join(words, " ") + " "
	}
	return strings.Contains(plain(text), plain(phrase))
}

func dcg(grades []int) float64 {
	sum := 0.0
	for i, grade := range grades[:min(len(grades), 10)] {
		sum += (math.Pow(2, float64(grade)) - 1) / math.Log2(float64(i)+2)
	}
	return sum
}

func TestSearchesFindWhatShoppersMean(t *testing.T) {
	t.Parallel()
	products := seeded(t)
	url, key := enginetest.Search(t)
	s := &shelf{products: map[string]contract.ProductDocument{}}
	inputs := map[string]contract.ProductInput{}
	for _, p := range products {
		d := asDocument(p)
		s.set(d)
		inputs[d.ID] = p
	}
	x := openIndex(t, url, key, s, nil)
	if _, err := x.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	searcher := &Service{index: x, engine: x.engine, language: english, regions: map[string]string{}}
	judged := readJudgements(t)
	type figure struct {
		sum   float64
		count int
	}
	byKind := map[string]figure{}
	total, empty, meaningful, asked := 0.0, 0, 0, 0
	for _, j := range judged {
		var ideal []int
		for _, p := range products {
			if grade := gradeOf(j, p); grade > 0 {
				ideal = append(ideal, grade)
			}
		}
		if len(ideal) == 0 && j.right != "none" {
			continue // the catalogs that can be reached hold nothing of the kind
		}
		asked++
		found, err := x.engine.search(t.Context(), searcher.params(Query{Text: j.query, Page: 1, PerPage: 10, Currency: "USD", Sort: SortRelevance}, true))
		if err != nil {
			t.Fatal(err)
		}
		result := searcher.result(Query{Text: j.query, Page: 1, PerPage: 10, Currency: "USD"}, found)
		var grades []int
		var titles []string
		for _, hit := range result.Hits {
			grades = append(grades, gradeOf(j, inputs[hit.ID]))
			titles = append(titles, hit.Title)
		}
		ndcg := 0.0
		slices.SortFunc(ideal, func(a, b int) int { return b - a })
		switch {
		case j.right == "none" && result.Found == 0:
			ndcg = 1
		case j.right != "none":
			ndcg = dcg(grades) / dcg(ideal)
			if meaningful++; result.Found == 0 {
				empty++
			}
		}
		if ndcg < 0.8 {
			t.Logf("%.2f %-15s %q finds %d: %.200q", ndcg, j.kind, j.query, result.Found, titles)
		}
		total += ndcg
		byKind[j.kind] = figure{byKind[j.kind].sum + ndcg, byKind[j.kind].count + 1}
	}
	for kind, f := range byKind {
		t.Logf("%-15s %3d queries, NDCG@10 %.3f", kind, f.count, f.sum/float64(f.count))
	}
	mean := total / float64(asked)
	t.Logf("%d products, %d queries: NDCG@10 %.3f; %d of %d meaningful queries find nothing (%.1f %%)", len(products), asked, mean, empty, meaningful, 100*float64(empty)/float64(meaningful))
	if mean < leastNDCG || asked < 150 {
		t.Errorf("NDCG@10 is %.3f over %d queries, want %.2f over at least 150", mean, asked, leastNDCG)
	}
}

func gradeOf(j judgement, p contract.ProductInput) int {
	switch {
	case fits(j.right, p):
		return 3
	case fits(j.ofUse, p):
		return 1
	}
	return 0
}

// seeded gives the seeded catalog, and Shopify's own sample files where they are at hand.
func seeded(t *testing.T) []contract.ProductInput {
	t.Helper()
	generated, err := seed.Generate(seed.Config{Products: 2000})
	if err != nil {
		t.Fatal(err)
	}
	var products []contract.ProductInput
	for item := range generated {
		products = append(products, item.Product)
	}
	files, err := filepath.Glob("../../../shared/data/shopify-*.csv")
	if err != nil || len(files) == 0 {
		t.Log("Shopify's sample files are not there: judged on the seeded catalog alone")
		return products
	}
	for _, path := range files {
		file, err := shopify.OpenFile(path, shopify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for {
			var item feed.Item
			if item, err = file.Next(); err != nil {
				break
			}
			products = append(products, item.Product)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return products
}

// asDocument is a product as the catalog gives it to an index.
func asDocument(p contract.ProductInput) contract.ProductDocument {
	d := contract.ProductDocument{ID: geo.NewID("prd", "use"), Slug: p.Slug, Title: p.Title, Description: p.Description, Brand: p.Brand, Categories: p.Categories, Tags: p.Tags,
		Attributes: p.Attributes, Options: p.Options, Stock: contract.BandInStock, Revision: fmt.Sprint(1), Prices: []contract.MarketPrice{{Currency: "USD", Amount: 1000}}}
	for _, category := range p.Categories {
		d.Places = append(d.Places, contract.CategoryPlace{Slug: category, Name: strings.ReplaceAll(category, "-", " ")})
	}
	return d
}
