//go:build !production

package command

import (
	"context"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions"
)

// localCopy is the copy that runs from the home.
type localCopy struct{ *env }

func (c localCopy) sqlOwner() (adminURL string, passwords map[string]string, err error) {
	_, home, err := c.running()
	if err != nil {
		return "", nil, err
	}
	return launcher.SQLOwner(home)
}

func (c localCopy) auditURL(all []regions.Region) (string, error) {
	_, home, err := c.running()
	if err != nil {
		return "", err
	}
	return launcher.AuditURL(home, all)
}

func (c localCopy) paymentSandbox() (url, key string, err error) {
	home, err := c.home()
	if err != nil {
		return "", "", err
	}
	return launcher.PaymentSandbox(home)
}

func (c localCopy) edge() (cloudflare.Access, cloudflare.Shop, error) {
	state, home, err := c.running()
	if err != nil {
		return cloudflare.Access{}, cloudflare.Shop{}, err
	}
	all, err := c.allRegions()
	if err != nil {
		return cloudflare.Access{}, cloudflare.Shop{}, err
	}
	return launcher.Edge(home, state, all)
}

// edgeHealth asks the running copy's edge for the health of the regions. An error leaves it unknown.
func (c localCopy) edgeHealth() map[string]string {
	known := map[string]string{}
	state, _, err := c.running()
	if err != nil {
		return known
	}
	ctx, cancel := context.WithTimeout(c.ctx, 2*time.Second)
	defer cancel()
	url := fmt.Sprintf("http://127.0.0.1:%d/health", launcher.Ports{Base: state.BasePort}.EdgeAdmin())
	var answer struct {
		Origins []struct{ Region, Health string } `json:"origins"`
	}
	if (httpclient.Request{URL: url}).Decode(ctx, &answer) != nil {
		return known
	}
	for _, origin := range answer.Origins {
		known[origin.Region] = origin.Health
	}
	return known
}
