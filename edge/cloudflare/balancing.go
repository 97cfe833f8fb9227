package cloudflare

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/cloudflare/cloudflare-go/v7/load_balancers"
)

func (c *Client) writePool(ctx context.Context, d *Diff, want Pool) error {
	origins := make([]load_balancers.OriginParam, 0, len(want.Origins))
	for _, o := range want.Origins {
		var p load_balancers.OriginParam
		set(&p.Name.Value, &p.Name.Present, o.Name)
		set(&p.Address.Value, &p.Address.Present, o.Address)
		set(&p.Enabled.Value, &p.Enabled.Present, o.Enabled)
		set(&p.Weight.Value, &p.Weight.Present, o.Weight)
		if o.Port != 0 {
			set(&p.Port.Value, &p.Port.Present, o.Port)
		}
		origins = append(origins, p)
	}
	if id := d.now.poolIDs[want.Name]; id != "" {
		var p load_balancers.PoolUpdateParams
		set(&p.AccountID.Value, &p.AccountID.Present, c.access.Account)
		set(&p.Name.Value, &p.Name.Present, want.Name)
		set(&p.Description.Value, &p.Description.Present, want.Description)
		set(&p.Latitude.Value, &p.Latitude.Present, want.Latitude)
		set(&p.Longitude.Value, &p.Longitude.Present, want.Longitude)
		set(&p.Enabled.Value, &p.Enabled.Present, want.Enabled)
		set(&p.Origins.Value, &p.Origins.Present, origins)
		set(&p.Monitor.Value, &p.Monitor.Present, d.now.monitorIDs[want.Monitor])
		if _, err := c.pools.Update(ctx, id, p); err != nil {
			return told("change the pool "+want.Name, err)
		}
		return nil
	}
	var p load_balancers.PoolNewParams
	set(&p.AccountID.Value, &p.AccountID.Present, c.access.Account)
	set(&p.Name.Value, &p.Name.Present, want.Name)
	set(&p.Description.Value, &p.Description.Present, want.Description)
	set(&p.Latitude.Value, &p.Latitude.Present, want.Latitude)
	set(&p.Longitude.Value, &p.Longitude.Present, want.Longitude)
	set(&p.Enabled.Value, &p.Enabled.Present, want.Enabled)
	set(&p.Origins.Value, &p.Origins.Present, origins)
	set(&p.Monitor.Value, &p.Monitor.Present, d.now.monitorIDs[want.Monitor])
	made, err := c.pools.New(ctx, p)
	if err != nil {
		return told("create the pool "+want.Name, err)
	}
	d.now.poolIDs[want.Name] = made.ID
	return nil
}

func (c *Client) writeBalancer(ctx context.Context, d *Diff) error {
	want := d.desired.Balancer.renamed(d.now.poolIDs)
	// Encoded here, as the parameters of rules are: the SDK's own encoder of maps races with itself.
	regionPools, err := json.Marshal(want.RegionPools)
	if err != nil {
		return fmt.Errorf("write the pools of the load balancer: %w", err)
	}
	countryPools, err := json.Marshal(want.CountryPools)
	if err != nil {
		return fmt.Errorf("write the pools of the load balancer: %w", err)
	}
	if d.now.balancerID != "" {
		var p load_balancers.LoadBalancerUpdateParams
		set(&p.ZoneID.Value, &p.ZoneID.Present, c.access.Zone)
		set(&p.Name.Value, &p.Name.Present, want.Name)
		set(&p.Description.Value, &p.Description.Present, want.Description)
		set(&p.Proxied.Value, &p.Proxied.Present, want.Proxied)
		set(&p.Enabled.Value, &p.Enabled.Present, want.Enabled)
		set(&p.SteeringPolicy.Value, &p.SteeringPolicy.Present, load_balancers.SteeringPolicy(want.SteeringPolicy))
		set(&p.DefaultPools.Value, &p.DefaultPools.Present, want.DefaultPools)
		set(&p.FallbackPool.Value, &p.FallbackPool.Present, want.FallbackPool)
		set(&p.RegionPools.Raw, &p.RegionPools.Present, any(json.RawMessage(regionPools)))
		set(&p.CountryPools.Raw, &p.CountryPools.Present, any(json.RawMessage(countryPools)))
		if _, err := c.balancer.Update(ctx, d.now.balancerID, p); err != nil {
			return told("change the load balancer", err)
		}
		return nil
	}
	var p load_balancers.LoadBalancerNewParams
	set(&p.ZoneID.Value, &p.ZoneID.Present, c.access.Zone)
	set(&p.Name.Value, &p.Name.Present, want.Name)
	set(&p.Description.Value, &p.Description.Present, want.Description)
	set(&p.Proxied.Value, &p.Proxied.Present, want.Proxied)
	set(&p.Enabled.Value, &p.Enabled.Present, want.Enabled)
	set(&p.SteeringPolicy.Value, &p.SteeringPolicy.Present, load_balancers.SteeringPolicy(want.SteeringPolicy))
	set(&p.DefaultPools.Value, &p.DefaultPools.Present, want.DefaultPools)
	set(&p.FallbackPool.Value, &p.FallbackPool.Present, want.FallbackPool)
	set(&p.RegionPools.Raw, &p.RegionPools.Present, any(json.RawMessage(regionPools)))
	set(&p.CountryPools.Raw, &p.CountryPools.Present, any(json.RawMessage(countryPools)))
	if _, err := c.balancer.New(ctx, p); err != nil {
		return told("create the load balancer", err)
	}
	return nil
}
