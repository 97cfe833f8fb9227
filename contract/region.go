package contract

import "github.com/meridian-store/meridian/geo"

// Region is what a service knows of a region: where it is and how it sells. It is read from regions/<name>.yaml.
type Region struct {
	geo.Region `yaml:",inline"`
	// Currency and Locale are the region's own; absent `currency` in a request is still DefaultCurrency.
	Currency string `yaml:"currency"`
	Locale   string `yaml:"locale"`
	Tax      Tax    `yaml:"tax"`
	// Shipping gives, for each method code, the price of a parcel in minor units by currency.
	Shipping   map[string]map[string]int64 `yaml:"shipping"`
	Warehouses []Warehouse                 `yaml:"warehouses"`
}

// Tax says how goods sent to this region's countries are taxed.
type Tax struct {
	Name string `yaml:"name"`
	// Included is true where shelf prices contain the tax (VAT, GST), false where it is added at checkout.
	Included bool `yaml:"included"`
	// RateBasisPoints is the rate where Countries names none: 2300 is 23 %.
	RateBasisPoints int64 `yaml:"rate_basis_points"`
	// Countries gives a country's own rate in basis points, by ISO 3166-1 alpha-2 code.
	Countries map[string]int64 `yaml:"countries"`
}

// RateFor gives the rate for a country in basis points.
func (t Tax) RateFor(country string) int64 {
	if rate, ok := t.Countries[country]; ok {
		return rate
	}
	return t.RateBasisPoints
}

// Warehouse is a place that stock leaves from.
type Warehouse struct {
	Code  string    `yaml:"code"`
	City  string    `yaml:"city"`
	Point geo.Point `yaml:"point"`
}
