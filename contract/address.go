package contract

import "strings"

// Address is where an order goes. Personal data: it stays in its home region's rows and out of events, logs and caches.
type Address struct {
	Name       string `json:"name" maxLength:"200" minLength:"1"`
	Line1      string `json:"line1" maxLength:"200" minLength:"1"`
	Line2      string `json:"line2,omitempty" maxLength:"200"`
	City       string `json:"city" maxLength:"100" minLength:"1"`
	Region     string `json:"region,omitempty" maxLength:"100" doc:"State, province or county"`
	PostalCode string `json:"postal_code,omitempty" maxLength:"20"`
	Country    string `json:"country" minLength:"2" maxLength:"2" doc:"ISO 3166-1 alpha-2" example:"IE"`
}

// Validate refuses an address that no parcel could reach; field is the path it is reported under.
func (a Address) Validate(field string) error {
	required := []struct{ name, value string }{{"name", a.Name}, {"line1", a.Line1}, {"city", a.City}, {"country", a.Country}}
	for _, part := range required {
		if strings.TrimSpace(part.value) == "" {
			return Invalid(field+"."+part.name, "is required")
		}
	}
	if len(a.Country) != 2 || strings.ToUpper(a.Country) != a.Country || strings.Trim(a.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return Invalid(field+".country", "%q is not an upper-case ISO 3166-1 alpha-2 code such as IE", a.Country)
	}
	return nil
}
