package launcher

import (
	"fmt"
	"os"

	"github.com/meridian-store/meridian/regions"
)

// SQLOwnerURL gives the owner's address of the SQL server that the copy of a home uses. It holds a password: never show it.
func SQLOwnerURL(home Home, all []regions.Region) (string, error) {
	for _, region := range all {
		if region.Engines.SQL == "" {
			continue
		}
		if admin := os.Getenv(sqlAdminEnv); admin != "" {
			return admin, nil
		}
		return "", fmt.Errorf("the SQL cluster stands elsewhere; %s must give its owner's address", sqlAdminEnv)
	}
	address, _, err := SQLOwner(home)
	return address, err
}
