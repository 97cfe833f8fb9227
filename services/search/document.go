package search

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/typesense/typesense-go/v3/typesense/api"
	"github.com/typesense/typesense-go/v3/typesense/api/pointer"

	"github.com/meridian-store/meridian/contract"
)

// document is a product as the engine holds it: what is looked through, in stems, and what a hit shows.
type document map[string]any

// The fields that words are looked for in, and how much each counts.
const (
	fieldName   = "name"   // the title
	fieldMaker  = "maker"  // the brand
	fieldKinds  = "kinds"  // the categories' names
	fieldLabels = "labels" // tags and the values of options
	fieldAbout  = "about"  // description and attributes

	searchedFields  = fieldName + "," + fieldMaker + "," + fieldKinds + "," + fieldLabels + "," + fieldAbout
	searchedWeights = "10,7,7,5,1"
	searchedTypos   = "2,2,1,1,0"
)

// documentVersion rises with any change of the schema, or of how a document is made of a product: an index of a lower one is built anew.
const documentVersion = 1

// maxAbout bounds what of a description is looked through, in words.
const maxAbout = 300

// signs count where a value has to be the very one that was chosen: 1.5 is not 15.
var signs = strings.Split("!\"#$%&'()*+,-./:;<=>?@[]^_{|}~", "")

func collectionSchema(name string) *api.CollectionSchema {
	yes, no := pointer.True(), pointer.False()
	text := func(name string) api.Field { return api.Field{Name: name, Type: "string[]"} }
	chosen := func(name, kind string) api.Field {
		return api.Field{Name: name, Type: kind, Facet: yes, SymbolsToIndex: &signs}
	}
	shown := func(name string) api.Field { return api.Field{Name: name, Type: "string", Index: no, Optional: yes} }
	return &api.CollectionSchema{
		Name: name, DefaultSortingField: pointer.String("popular"),
		Fields: []api.Field{
			text(fieldName), text(fieldMaker), text(fieldKinds), text(fieldLabels), text(fieldAbout),
			{Name: "bucket", Type: "string"}, shown("revision"), shown("slug"), shown("title"), shown("image_url"), shown("image_alt"),
			{Name: "categories", Type: "string[]", Index: no, Optional: yes}, {Name: "place_names", Type: "string[]", Facet: yes},
			chosen("brand", "string"), chosen("places", "string[]"), chosen("options", "string[]"), {Name: "stock", Type: "string", Facet: yes}, {Name: "in_stock", Type: "bool"},
			{Name: "popular", Type: "int64"}, {Name: "created", Type: "int64"}, {Name: "price_.*", Type: "int64", Facet: yes, Optional: yes},
		},
	}
}

// placeSign stands between a category's slug and its name where both are counted together.
const placeSign = "|"

// newDocument makes the document of a product that has been sold so often.
func (l language) newDocument(p contract.ProductDocument, sales int64, regions []contract.Region) document {
	places, names := []string{}, []string{}
	var kinds, labels []string
	for _, place := range p.Places {
		places, names = append(places, place.Slug), append(names, place.Slug+placeSign+place.Name)
		kinds = append(kinds, l.stems(place.Name)...)
	}
	options := []string{}
	for _, option := range p.Options {
		for _, value := range option.Values {
			options = append(options, option.Name+"="+value)
			labels = append(labels, l.stems(value)...)
		}
	}
	for _, tag := range p.Tags {
		labels = append(labels, l.stems(tag)...)
	}
	about := l.stems(plainText(p.Description))
	for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
		about = append(about, l.stems(p.Attributes[name])...)
	}
	d := document{
		"id": p.ID, "bucket": bucketOf(p.ID), "revision": p.Revision, "slug": p.Slug, "title": p.Title, "brand": p.Brand,
		"categories": listed(p.Categories), "places": places, "place_names": names, "options": options,
		// One word after the other, so that the order of a title's words counts for nothing.
		fieldName: listed(l.stems(p.Title)), fieldMaker: listed(l.stems(p.Brand)), fieldKinds: listed(unique(kinds)), fieldLabels: listed(unique(labels)),
		fieldAbout: listed(unique(about[:min(len(about), maxAbout)])),
		"stock":    string(p.Stock), "in_stock": p.Stock != contract.BandOut, "popular": popularity(sales, p.Stock), "created": place(p.CreatedAt, p.ID),
	}
	if p.Image != nil {
		d["image_url"], d["image_alt"] = p.Image.URL, p.Image.Alt
	}
	d.price(p.Prices, regions)
	return d
}

// price writes what the product costs to whoever names no region, and to whoever names each. A region without lists of its own has the prices
// of all.
func (d document) price(prices []contract.MarketPrice, regions []contract.Region) {
	for _, price := range prices {
		if price.Region == "" {
			d[priceField(price.Currency, "")] = price.Amount
			for _, region := range regions {
				d[priceField(price.Currency, region.Code)] = price.Amount
			}
		}
	}
	for _, price := range prices {
		for _, region := range regions {
			if region.Name == price.Region {
				d[priceField(price.Currency, region.Code)] = price.Amount
			}
		}
	}
}

// priceField names the field of prices in a currency, for a region's code, "" for none.
func priceField(currency, code string) string {
	if code == "" {
		return "price_" + currency
	}
	return "price_" + currency + "_" + code
}

func bucketOf(id string) string { return id[len(id)-1:] }

// popularity is how often a product was sold, then how much there is of it, in one number: the engine orders by three at most.
func popularity(sales int64, band contract.Band) int64 {
	stock := map[contract.Band]int64{contract.BandInStock: 2, contract.BandLow: 1}
	return sales*4 + stock[band]
}

// place is when a product was made, to an eighth of a second, with something of its id: what is equal otherwise stands in one order in every
// region, on every page. It stays below 2^53, so that it is exact wherever numbers are floating.
func place(created time.Time, id string) int64 {
	const eighth, bitsOfID = 125, 18
	return max(created.UnixMilli(), 0)/eighth<<bitsOfID | int64(xxhash.Sum64String(id)>>(64-bitsOfID))
}

func unique(words []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(words, func(word string) bool {
		known := seen[word]
		seen[word] = true
		return known
	})
}

// listed makes JSON write an empty list where Go has none.
func listed(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}
