package launcher

import (
	"context"

	"github.com/meridian-store/meridian/local/engine"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/doctor"
)

// Subject describes the copy of a home for an examination. all are its regions.
func Subject(ctx context.Context, home Home, all []regions.Region) (doctor.Subject, error) {
	shop, _, err := ReadStatus(ctx, home, all)
	if err != nil {
		return doctor.Subject{}, err
	}
	return doctor.Subject{
		Status: shop, Regions: all, Sandbox: OwnsProvider(), Findings: missingPrograms(),
		Data: home.Path("data"), Logs: home.Path("logs"),
		SQLOwner: func() (string, error) { return SQLOwnerURL(home, all) },
		RedisPassword: func(region string) (string, error) {
			_, password, err := RedisOf(home, region)
			return password, err
		},
	}, nil
}

// missingPrograms looks for the engines' programs on this machine.
func missingPrograms() []doctor.Finding {
	var found []doctor.Finding
	for _, name := range []engine.Name{engine.Postgres, engine.Redis, engine.Consul} {
		if _, err := engine.Find(name); err != nil {
			found = append(found, doctor.Finding{
				Part: string(name), Problem: "its program is missing", Evidence: err.Error(), Remedy: "make engines",
			})
		}
	}
	return found
}
