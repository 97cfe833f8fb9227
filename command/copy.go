package command

import (
	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/regions"
)

// runningCopy is the copy of the shop that runs on this machine. A verb works on it when it is given no address. A
// program for production has none: its errors name the flag or the variable to give.
type runningCopy interface {
	// sqlOwner returns the SQL server's address as its owner, and the passwords that schema.Migrate sets.
	sqlOwner() (adminURL string, passwords map[string]string, err error)
	// auditURL returns the SQL server's address as the role that audits.
	auditURL(all []regions.Region) (string, error)
	// paymentSandbox returns where the payment sandbox listens, and the secret key for it.
	paymentSandbox() (url, key string, err error)
	// edge returns the API of the edge, and what the edge is to hold.
	edge() (cloudflare.Access, cloudflare.Shop, error)
	// edgeHealth returns the health of regions as the edge sees it, by their names. A region whose health is not
	// known is missing.
	edgeHealth() map[string]string
}
