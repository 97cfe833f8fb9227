package search

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/sqldb"
)

const (
	// curateEvery is how often the rules of merchants are looked at: within what time they hold in every region.
	curateEvery = time.Second
	// pricesEvery is how often the catalog is asked which price lists have begun or ended: within what time a price is to be everywhere.
	pricesEvery = time.Second
)

//go:embed migrations/*.sql
var migrations embed.FS

// Definition is the search service of a region.
func Definition() kit.Definition {
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return kit.Definition{
		Name: contract.ServiceSearch, UsesBroker: true, UsesRedis: true, Setup: setup,
		Schema:    &sqldb.Schema{Migrations: own, Global: []string{"search_rules"}},
		RedisKeys: []string{sales{}.key(), sales{}.eventKey("<event_id>"), popularPrefix + "<date>"},
	}
}

func setup(_ context.Context, base *kit.Base) error {
	if base.Env.TypesenseURL == "" || base.Env.TypesenseKey == "" {
		return fmt.Errorf("search needs MERIDIAN_TYPESENSE_URL and MERIDIAN_TYPESENSE_KEY in its environment")
	}
	tag, _, _ := strings.Cut(base.Region.Locale, "-")
	e, err := newEngine(base.Env.TypesenseURL, base.Env.TypesenseKey, base.Env.Namespace+"products-"+tag, nil)
	if err != nil {
		return err
	}
	m := newMetrics(base.Registry)
	feed := catalog{base.Client}
	rules := &store{base.DB}
	x := &index{
		rules:  rules.all,
		engine: e, source: feed, sales: sales{base.Redis, base.Env.Namespace}, language: speaks(tag), regions: base.Regions, now: base.Now, log: base.Log, metrics: m,
	}
	purger := &herald{client: base.Client, log: base.Log, changed: make(chan struct{}, 1)}
	base.Loop("tell the purger", purger.run)
	l := &listener{index: x, catalog: feed, log: base.Log, metrics: m, now: base.Now, indexed: purger.indexed}
	base.ConsumeBatches(l.apply, contract.TopicProducts, contract.TopicInventory)
	base.Loop("compare with the catalog", x.watch)
	base.Loop("curate", kit.Every(curateEvery, x.curate))
	base.Loop("follow price lists", kit.Every(pricesEvery, l.followPriceLists(base.Now())))
	regions := map[string]string{}
	for _, region := range base.Regions {
		regions[region.Name] = region.Code
	}
	heard := &popular{redis: base.Redis, prefix: base.Env.Namespace, now: base.Now, log: base.Log}
	base.Loop("count queries", kit.Every(countEvery, heard.count))
	s := &service{index: x, engine: e, language: x.language, regions: regions, popular: heard}
	routes(base.API, s)
	rulesOf[Synonyms]{kindSynonyms, rules, x.language, base.Now}.routes(base.API, "how words that mean the same are found by one another")
	rulesOf[Pins]{kindPins, rules, x.language, base.Now}.routes(base.API, "products at chosen places, or hidden, for a query")
	return nil
}

// service answers searches.
type service struct {
	index    *index
	engine   *engine
	language language
	regions  map[string]string // codes by name
	popular  *popular
}
