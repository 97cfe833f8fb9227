package seed

import (
	"fmt"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// firstNumber is the number of the first product, as it stands in slugs and SKUs.
const firstNumber = 100_001

// maker is a configuration with the words at hand.
type maker struct {
	Config
	shelves                 []shelf
	brands, models, origins []string
}

func newMaker(config Config) maker {
	return maker{Config: config, shelves: shelves(), brands: brands(), models: models(), origins: origins()}
}

// product makes product i of the catalog. It looks at no other, so that a catalog can grow and be made in parts.
func (m maker) product(i int) feed.Item {
	shelf := m.shelves[m.shelfOf(i)]
	draw := newChance(m.Seed, uint64(i))
	good := pick(draw, shelf.goods)
	material := pick(draw, good.materials)
	title := fmt.Sprintf("%s %s %s", pick(draw, m.models), capitalised(material), good.noun)
	product := contract.ProductInput{
		Slug: fmt.Sprintf("%s-%d", feed.Slug(title), firstNumber+i), Title: title, Brand: pick(draw, m.brands),
		Categories: []string{shelf.slug}, Tags: some(draw, shelf.tags, draw.between(1, len(shelf.tags))),
		Attributes: map[string]string{"material": material, "origin": pick(draw, m.origins)}, Published: true,
	}
	if shelf.parent != "" {
		product.Categories = append(product.Categories, shelf.parent)
	}
	if len(shelf.genders) > 0 {
		product.Attributes["gender"] = pick(draw, shelf.genders)
	}
	product.Description = describe(draw, shelf, product, material, good.noun)
	axes := good.axes(shelf)
	for _, axis := range axes {
		values := some(draw, axis.values, draw.between(axis.few, axis.many))
		product.Options = append(product.Options, contract.Option{Name: axis.name, Values: values})
		if axis.name == colourAxis {
			product.Attributes["color"] = strings.ToLower(values[0])
		}
	}
	item := feed.Item{Product: product}
	m.addVariants(&item, draw, shelf, axes, i)
	return item
}

// shelfOf spreads products over the categories: each run of as many products as there are categories has one of each.
func (m maker) shelfOf(i int) int {
	round := i / m.Categories
	return (i + newChance(m.Seed^0x5e1f, uint64(round)).below(m.Categories)) % m.Categories
}

// addVariants makes every combination of the option values, with its price, barcode, weight and stock.
func (m maker) addVariants(item *feed.Item, draw chance, shelf shelf, axes []axis, i int) {
	cents, grams := skewed(draw, shelf.cents), skewed(draw, shelf.grams)
	ending, reduced := draw.below(2), draw.percent(14)
	off := int64(draw.between(15, 45))
	options := item.Product.Options
	total := 1
	for _, option := range options {
		total *= len(option.Values)
	}
	for n := range total {
		variant := contract.VariantInput{Barcode: barcode(i, n)}
		if len(options) > 0 {
			variant.Options = make(map[string]string, len(options))
		}
		codes, rest, percent := []string{shelf.code, fmt.Sprint(firstNumber + i)}, n, int64(100)
		for at := len(options) - 1; at >= 0; at-- {
			place := rest % len(options[at].Values)
			rest /= len(options[at].Values)
			variant.Options[options[at].Name] = options[at].Values[place]
			percent += int64(place * axes[at].raise)
		}
		for _, option := range options {
			codes = append(codes, strings.ToUpper(feed.Slug(variant.Options[option.Name])))
		}
		variant.SKU = strings.Join(codes, "-")
		variant.Prices = prices(cents*percent/100, ending, m.Currencies)
		if reduced {
			variant.CompareAtPrices = before(variant.Prices, prices(cents*percent/(100-off), ending, m.Currencies))
		}
		variant.WeightGrams = grams * percent / 100
		item.Product.Variants = append(item.Product.Variants, variant)
		item.Stock = append(item.Stock, feed.SKUStock{SKU: variant.SKU, OnHand: onHand(draw)})
	}
}

// before keeps the former prices that are higher than today's: among small prices the rounding may leave no difference.
func before(today, former []contract.Money) []contract.Money {
	var higher []contract.Money
	for i, price := range former {
		if price.Amount > today[i].Amount {
			higher = append(higher, price)
		}
	}
	return higher
}

// skewed draws between two bounds, more often near the lower one, as prices and weights lie.
func skewed(draw chance, bounds [2]int) int64 {
	span := bounds[1] - bounds[0]
	part := draw.below(1001) * draw.below(1001)
	return int64(bounds[0] + span/100*part/10_000)
}

// onHand draws how many units lie there: a few variants are out, a few low.
func onHand(draw chance) int64 {
	switch kind := draw.below(100); {
	case kind < 5:
		return 0
	case kind < 12:
		return int64(draw.between(1, contract.LowStock))
	default:
		return int64(draw.between(contract.LowStock+1, 400))
	}
}

// barcode makes an EAN-13 in the range 200–299, which GS1 keeps for numbers that mean something in one shop only.
func barcode(product, variant int) string {
	digits := fmt.Sprintf("2%08d%03d", product, variant)
	sum := 0
	for i, digit := range digits {
		weight := 1 + 2*(i%2)
		sum += int(digit-'0') * weight
	}
	return fmt.Sprintf("%s%d", digits, (10-sum%10)%10)
}

// describe writes a few sentences of HTML.
func describe(draw chance, shelf shelf, product contract.ProductInput, material, noun string) string {
	opening := pick(draw, []string{
		"The %[1]s is made for %[2]s.", "%[4]s made the %[1]s with %[2]s in mind.", "A %[3]s for %[2]s, and for years of it.",
	})
	middle := pick(draw, []string{
		"We chose %[5]s because it wears well and can be mended.", "The %[5]s comes from a maker in %[6]s whom %[4]s has known for years.",
		"It is the %[5]s that people notice first, and the details that they keep it for.",
	})
	html := fmt.Sprintf("<p>"+opening+" "+middle+"</p>\n<ul>\n", product.Title, pick(draw, shelf.uses), strings.ToLower(noun),
		escaped(product.Brand), material, product.Attributes["origin"])
	var list strings.Builder
	for _, feature := range some(draw, shelf.features, draw.between(2, 4)) {
		list.WriteString("<li>" + feature + "</li>\n")
	}
	return html + list.String() + "</ul>"
}

func escaped(text string) string { return strings.ReplaceAll(text, "&", "&amp;") }

// capitalised writes every word with a capital, as titles have them.
func capitalised(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, " ")
}
