package doctor

import (
	"path/filepath"

	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/status"
)

// Subject is the shop that is examined, as its launcher describes it.
type Subject struct {
	// Status is the state of the shop's parts, read just before.
	Status status.Shop
	// Regions are the region files: they name the engines that run elsewhere.
	Regions []regions.Region
	// Sandbox reports whether the payment provider is a process of the shop.
	Sandbox bool
	// Findings were made before, such as the missing program of an engine.
	Findings []Finding
	// Data and Logs are the shop's folders. The log of a process is in Logs/<region>/<name>.log.
	Data, Logs string
	// SQLOwner returns the SQL server's address as its owner. The address holds a password.
	SQLOwner func() (address string, err error)
	// RedisPassword returns the password of a region's Redis.
	RedisPassword func(region string) (password string, err error)
}

// log returns the log file of a process or a service; region is "" outside regions.
func (s Subject) log(region, name string) string { return filepath.Join(s.Logs, region, name+".log") }

// outside reports whether an engine runs elsewhere, by the region files. The SQL server has no region.
func (s Subject) outside(region, engine string) bool {
	for _, r := range s.Regions {
		switch {
		case region == "" && engine == partSQL && r.Engines.SQL != "",
			r.Name == region && engine == "redis" && r.Engines.Redis != "",
			r.Name == region && engine == "consul" && r.Engines.Consul != "",
			r.Name == region && engine == "broker" && len(r.Engines.Brokers) > 0,
			r.Name == region && engine == "search-engine" && r.Engines.Typesense != "":
			return true
		}
	}
	return false
}
