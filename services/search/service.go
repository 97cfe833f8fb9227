package search

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
)

const (
	// compareEvery is how often index and catalog are compared.
	compareEvery = 30 * time.Second
	// pricesEvery is how often the catalog is asked which price lists have begun or ended: within what time a price is to be everywhere.
	pricesEvery = time.Second
)

// Definition is the search service of a region.
func Definition() kit.Definition {
	return kit.Definition{Name: contract.ServiceSearch, UsesBroker: true, UsesRedis: true, Setup: setup}
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
	x := &index{
		engine: e, source: feed, sales: sales{base.Redis, base.Env.Namespace}, language: speaks(tag), regions: base.Regions, now: base.Now, log: base.Log, metrics: m,
	}
	l := &listener{index: x, catalog: feed, log: base.Log, metrics: m, now: base.Now}
	base.ConsumeBatches(l.apply, contract.TopicProducts, contract.TopicInventory)
	base.Loop("compare with the catalog", kit.Every(compareEvery, x.mend))
	base.Loop("follow price lists", kit.Every(pricesEvery, l.followPriceLists(base.Now())))
	regions := map[string]string{}
	for _, region := range base.Regions {
		regions[region.Name] = region.Code
	}
	routes(base.API, &service{index: x, engine: e, language: x.language, regions: regions})
	return nil
}

// service answers searches.
type service struct {
	index    *index
	engine   *engine
	language language
	regions  map[string]string // codes by name
}
