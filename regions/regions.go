// Package regions holds one file for each region and reads them: WHERE the shop runs.
package regions

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/meridian-store/meridian/contract"
)

//go:embed *.yaml
var shipped embed.FS

// Region is all that a region's file says.
type Region struct {
	contract.Region `yaml:",inline"`
	Engines         Engines `yaml:"engines"`
}

// Engines gives the addresses of engines that already stand somewhere. What is empty, `meridian up` starts on this machine.
type Engines struct {
	// SQL is the address, host:port, of the one SQL cluster as seen from this region; databases and passwords come from the environment.
	SQL string `yaml:"sql"`
	// Redis and Consul are host:port; Brokers are the host:port of the region's event brokers.
	Redis   string   `yaml:"redis"`
	Consul  string   `yaml:"consul"`
	Brokers []string `yaml:"brokers"`
	// Typesense is the URL of the region's search engine; its key comes from the environment, MERIDIAN_TYPESENSE_KEY.
	Typesense string `yaml:"typesense"`
}

// Shipped reads the regions that this binary was built with.
func Shipped() ([]Region, error) { return Load(shipped) }

// Load reads every *.yaml of a folder. The order is that of FirstRegion and then by name, and decides ports and the primary region.
func Load(folder fs.FS) ([]Region, error) {
	files, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list region files: %w", err)
	}
	if len(files) == 0 {
		return nil, errors.New("there is no region file (*.yaml)")
	}
	var all []Region
	for _, file := range files {
		region, err := read(folder, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, region)
	}
	slices.SortFunc(all, func(a, b Region) int { return cmp.Or(rank(a.Name)-rank(b.Name), cmp.Compare(a.Name, b.Name)) })
	return all, distinct(all)
}

// firstRegions keep the places that the documentation gives them; regions added later follow by name.
var firstRegions = []string{"us-east", "eu-west", "ap-southeast"}

func rank(name string) int {
	if i := slices.Index(firstRegions, name); i >= 0 {
		return i
	}
	return len(firstRegions)
}

func read(folder fs.FS, file string) (Region, error) {
	data, err := fs.ReadFile(folder, file)
	if err != nil {
		return Region{}, err
	}
	var region Region
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&region); err != nil {
		return Region{}, err
	}
	if file != region.Name+".yaml" {
		return Region{}, fmt.Errorf("the region %q belongs in %s.yaml", region.Name, region.Name)
	}
	return region, region.Validate()
}

// Validate refuses a region that could not sell.
func (r Region) Validate() error {
	problems := []error{r.Region.Region.Validate(), contract.ValidateCurrency("currency", r.Currency)}
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	// Absent it would mean "none" by oversight, which sanctions do not forgive.
	if r.Refuses == nil {
		refuse("refuses is missing: it lists the countries that the region does not serve, [] for none")
	}
	if r.Locale == "" {
		refuse("locale is empty")
	}
	if r.Tax.Name == "" || r.Tax.RateBasisPoints < 0 || r.Tax.RateBasisPoints > 10_000 {
		refuse("tax needs a name and a rate_basis_points from 0 to 10000")
	}
	for country, rate := range r.Tax.Countries {
		if !slices.Contains(r.Countries, country) || rate < 0 || rate > 10_000 {
			refuse("tax.countries.%s is not a rate of one of the region's countries", country)
		}
	}
	if len(r.Shipping["standard"]) == 0 {
		refuse("shipping.standard is missing: that method exists everywhere")
	}
	for method, prices := range r.Shipping {
		if _, ok := prices[contract.DefaultCurrency]; !ok {
			refuse("shipping.%s has no price in %s", method, contract.DefaultCurrency)
		}
		for code, amount := range prices {
			if amount < 0 {
				refuse("shipping.%s.%s is negative", method, code)
			}
			problems = append(problems, contract.ValidateCurrency("shipping."+method, code))
		}
	}
	if len(r.Warehouses) == 0 {
		refuse("warehouses is empty: nothing could be sent")
	}
	for _, warehouse := range r.Warehouses {
		if warehouse.Code == "" {
			refuse("a warehouse has no code")
		}
		problems = append(problems, warehouse.Point.Validate())
	}
	return errors.Join(problems...)
}

// distinct refuses two regions that claim one code, country or warehouse.
func distinct(all []Region) error {
	owner := map[string]string{}
	var problems []error
	claim := func(kind, value, region string) {
		if other, taken := owner[kind+value]; taken {
			problems = append(problems, fmt.Errorf("%s and %s both claim the %s %s", other, region, kind, value))
		}
		owner[kind+value] = region
	}
	for _, region := range all {
		claim("code ", region.Code, region.Name)
		for _, country := range region.Countries {
			claim("country ", country, region.Name)
		}
		for _, warehouse := range region.Warehouses {
			claim("warehouse ", warehouse.Code, region.Name)
		}
	}
	return errors.Join(problems...)
}

// ForServices gives what services know of the regions.
func ForServices(all []Region) []contract.Region {
	known := make([]contract.Region, 0, len(all))
	for _, region := range all {
		known = append(known, region.Region)
	}
	return known
}
