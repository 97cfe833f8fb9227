package geo

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

var (
	regionNamePattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	regionCodePattern = regexp.MustCompile(`^[a-z]{3}$`)
)

// maxRegionName keeps a region's name usable as a DNS label and a Consul datacenter.
const maxRegionName = 40

// Region is one of the equal, independent places a shop runs in.
type Region struct {
	Name      string   `json:"name" yaml:"name"`           // as in "eu-west": lower case words joined by hyphens
	Code      string   `json:"code" yaml:"code"`           // as in "euw": three lower-case letters, carried by every id
	City      string   `json:"city" yaml:"city"`           // where its data centre stands
	Point     Point    `json:"point" yaml:"point"`         // that city's coordinates
	Countries []string `json:"countries" yaml:"countries"` // whose shoppers are homed here, ISO 3166-1 alpha-2
	// Resident are those of Countries whose shoppers are served and kept here even where another region is nearer.
	Resident []string `json:"resident,omitempty" yaml:"resident"`
	// Refuses are the countries whose shoppers this region does not serve, as sanctions ask.
	Refuses []string `json:"refuses,omitempty" yaml:"refuses"`
}

// Validate reports everything wrong with the region at once, one line each.
func (r Region) Validate() error {
	var problems []error
	if len(r.Name) > maxRegionName || !regionNamePattern.MatchString(r.Name) {
		problems = append(problems, fmt.Errorf("name %q is not lower-case words joined by hyphens, at most %d characters", r.Name, maxRegionName))
	}
	if !ValidRegionCode(r.Code) {
		problems = append(problems, fmt.Errorf("code %q is not three lower-case letters", r.Code))
	}
	if r.City == "" {
		problems = append(problems, errors.New("city is empty"))
	}
	if err := r.Point.Validate(); err != nil {
		problems = append(problems, err)
	}
	problems = append(problems, r.validateCountries()...)
	if len(problems) > 0 {
		return fmt.Errorf("region %q: %w", r.Name, errors.Join(problems...))
	}
	return nil
}

func (r Region) validateCountries() []error {
	var problems []error
	for _, list := range []struct {
		key       string
		countries []string
	}{{"countries", r.Countries}, {"resident", r.Resident}, {"refuses", r.Refuses}} {
		for i, country := range list.countries {
			if !ValidCountry(country) {
				problems = append(problems, fmt.Errorf("%s: country %q is not an ISO 3166-1 alpha-2 code", list.key, country))
			}
			if slices.Contains(list.countries[:i], country) {
				problems = append(problems, fmt.Errorf("%s: country %q is listed twice", list.key, country))
			}
		}
	}
	for _, country := range r.Resident {
		if !slices.Contains(r.Countries, country) {
			problems = append(problems, fmt.Errorf("resident: country %q is not one of the region's countries", country))
		}
	}
	for _, country := range r.Refuses {
		if slices.Contains(r.Countries, country) {
			problems = append(problems, fmt.Errorf("refuses: country %q is one of the region's countries", country))
		}
	}
	return problems
}

// ValidRegionCode reports whether code is three lower-case ASCII letters, such as "use".
func ValidRegionCode(code string) bool { return regionCodePattern.MatchString(code) }
