package seed

import "slices"

// shelf is a category with the words that its products are made of.
type shelf struct {
	slug, name, parent string
	// code begins the SKUs.
	code     string
	goods    []good
	features []string
	uses     []string
	tags     []string
	genders  []string
	// axes are the ways in which variants differ; the first is the one that may raise price and weight.
	axes []axis
	// cents and grams are the bounds of a product's price in US cents and of its weight.
	cents, grams [2]int
}

// good is a kind of thing with the materials that it is made of.
type good struct {
	noun      string
	materials []string
}

// axis is an option with the values to choose from.
type axis struct {
	name   string
	values []string
	// few and many bound how many of the values one product has.
	few, many int
	// only lists the goods that vary so; all of the shelf do when it is empty.
	only []string
	// raise is by how many per cent each further value costs and weighs more.
	raise int
}

// axes gives the ways in which this good varies.
func (g good) axes(shelf shelf) []axis {
	var axes []axis
	for _, axis := range shelf.axes {
		if len(axis.only) == 0 || slices.Contains(axis.only, g.noun) {
			axes = append(axes, axis)
		}
	}
	return axes
}

// colourAxis is the name of the option that is a colour, which is an attribute too.
const colourAxis = "Color"

func sizes(only ...string) axis {
	return axis{name: "Size", only: only, values: []string{"XS", "S", "M", "L", "XL", "XXL"}, few: 4, many: 6}
}

func colours(many int) axis {
	return axis{name: colourAxis, few: 1, many: many, values: []string{
		"Black", "Navy", "Charcoal", "Stone", "Moss", "Rust", "Cream", "Burgundy", "Slate Blue", "Forest", "Sand", "Ochre", "Plum", "Sage",
	}}
}
