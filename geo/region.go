package geo

import (
	"errors"
	"fmt"
	"regexp"
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
	seen := make(map[string]bool, len(r.Countries))
	for _, country := range r.Countries {
		if !ValidCountry(country) {
			problems = append(problems, fmt.Errorf("country %q is not an ISO 3166-1 alpha-2 code", country))
		}
		if seen[country] {
			problems = append(problems, fmt.Errorf("country %q is listed twice", country))
		}
		seen[country] = true
	}
	if len(problems) > 0 {
		return fmt.Errorf("region %q: %w", r.Name, errors.Join(problems...))
	}
	return nil
}

// ValidRegionCode reports whether code is three lower-case ASCII letters, such as "use".
func ValidRegionCode(code string) bool { return regionCodePattern.MatchString(code) }
