package search

import (
	"embed"
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/sqldb"
)

const (
	// curateEvery is how often the rules of merchants are looked at: within what time they hold in every region.
	curateEvery = time.Second
	// pricesEvery is how often the catalog is asked which price lists have begun or ended: within what time a price is to be everywhere.
	pricesEvery = time.Second
)

//go:embed migrations/*.sql
var migrations embed.FS

// Definition describes the search service of a region.
func Definition() kit.Definition {
	return kit.Definition{
		Name: contract.ServiceSearch, Broker: kit.Required, Redis: kit.Required,
		RedisKeys: []string{sales{}.key(), sales{}.eventKey("<event_id>"), popularPrefix + "<date>"},
		Schema:    &sqldb.Schema{Migrations: sqldb.Embedded(migrations), Global: []string{"search_rules"}},
		New:       kit.Configured(New),
	}
}

// Service answers searches.
type Service struct {
	index    *index
	engine   *engine
	language language
	regions  map[string]string // codes by name
	popular  *popular
	rules    *store
	now      func() time.Time
	loops    []kit.Loop
}

// New makes the search service.
func New(base *kit.Base, config Config) (*Service, error) {
	tag, _, _ := strings.Cut(base.Region.Locale, "-")
	e, err := newEngine(config.URL, config.Key, base.Env.Namespace+"products-"+tag, nil)
	if err != nil {
		return nil, err
	}
	m := newMetrics(base.Registry)
	feed, rules := catalog{base.Client}, &store{base.DB}
	x := &index{
		rules: rules.all, engine: e, source: feed, sales: sales{base.Redis, base.Env.Namespace}, language: speaks(tag),
		regions: base.Regions, now: base.Now, log: base.Log, metrics: m,
	}
	purger := &herald{client: base.Client, log: base.Log, changed: make(chan struct{}, 1)}
	l := &listener{index: x, catalog: feed, log: base.Log, metrics: m, now: base.Now, indexed: purger.indexed}
	consume, _ := base.ConsumeBatches(l.apply, contract.TopicProducts, contract.TopicInventory)
	s := &Service{
		index: x, engine: e, language: x.language, regions: map[string]string{}, rules: rules, now: base.Now,
		popular: &popular{redis: base.Redis, prefix: base.Env.Namespace, now: base.Now, log: base.Log},
	}
	for _, region := range base.Regions {
		s.regions[region.Name] = region.Code
	}
	s.loops = []kit.Loop{
		{Name: "notify the purger", Run: purger.run},
		consume,
		{Name: "compare with the catalog", Run: x.watch},
		{Name: "apply search rules", Run: kit.Every(curateEvery, x.curate)},
		{Name: "follow price lists", Run: kit.Every(pricesEvery, l.followPriceLists(base.Now()))},
		{Name: "count queries", Run: kit.Every(countEvery, s.popular.count)},
	}
	return s, nil
}

// Routes declares the service's HTTP operations.
func (s *Service) Routes(api *httpx.API) {
	routes(api, s)
	rulesOf[Synonyms]{kindSynonyms, s.rules, s.language, s.now}.routes(api, "how words that mean the same are found by one another")
	rulesOf[Pins]{kindPins, s.rules, s.language, s.now}.routes(api, "products at chosen places, or hidden, for a query")
}

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop { return s.loops }
