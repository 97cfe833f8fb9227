package cloudflare

import (
	"context"
	"fmt"
	"strings"

	"github.com/cloudflare/cloudflare-go/v7/load_balancers"
)

// Monitor asks gateways whether they are ready.
type Monitor struct {
	Description     string `json:"description"`
	Type            string `json:"type"`
	Method          string `json:"method"`
	Path            string `json:"path"`
	ExpectedCodes   string `json:"expected_codes"`
	Port            int64  `json:"port"` // 0: that of the type
	Interval        int64  `json:"interval"`
	Timeout         int64  `json:"timeout"`
	Retries         int64  `json:"retries"`
	ConsecutiveDown int64  `json:"consecutive_down"`
	ConsecutiveUp   int64  `json:"consecutive_up"`
}

// monitorPrefix begins the descriptions of a shop's monitors, which are the account's as pools are.
func monitorPrefix(hostname string) string { return Owned + "gateway-ready " + hostname + " " }

// monitorOf is the monitor of gateways at a port. Health checks do not go by an origin's port, so there is one for each port.
func monitorOf(s Shop, scheme string, port int64) Monitor {
	asked := scheme
	if port != 0 {
		asked = fmt.Sprintf("%s:%d", scheme, port)
	}
	return Monitor{
		Description: monitorPrefix(s.Hostname) + asked, Type: scheme, Method: "GET", Path: "/ready", ExpectedCodes: "200",
		Port: port, Interval: s.ProbeEvery, Timeout: 2, Retries: 0, ConsecutiveDown: 2, ConsecutiveUp: 3,
	}
}

func (c *Client) readMonitors(ctx context.Context, f *found) error {
	var query load_balancers.MonitorListParams
	set(&query.AccountID.Value, &query.AccountID.Present, c.access.Account)
	page, err := c.monitors.List(ctx, query)
	if err != nil {
		return told("list monitors", err)
	}
	for _, m := range page.Result {
		if !strings.HasPrefix(m.Description, monitorPrefix(f.hostname)) {
			continue
		}
		monitor, err := reread[Monitor](m.JSON.RawJSON())
		if err != nil {
			return err
		}
		f.monitorIDs[m.Description] = m.ID
		f.Monitors = append(f.Monitors, monitor)
	}
	return nil
}

func (c *Client) writeMonitor(ctx context.Context, d *Diff, want Monitor) error {
	if id := d.now.monitorIDs[want.Description]; id != "" {
		var p load_balancers.MonitorUpdateParams
		set(&p.AccountID.Value, &p.AccountID.Present, c.access.Account)
		set(&p.Description.Value, &p.Description.Present, want.Description)
		set(&p.Type.Value, &p.Type.Present, load_balancers.MonitorUpdateParamsType(want.Type))
		set(&p.Method.Value, &p.Method.Present, want.Method)
		set(&p.Path.Value, &p.Path.Present, want.Path)
		set(&p.ExpectedCodes.Value, &p.ExpectedCodes.Present, want.ExpectedCodes)
		set(&p.Port.Value, &p.Port.Present, want.Port)
		set(&p.Interval.Value, &p.Interval.Present, want.Interval)
		set(&p.Timeout.Value, &p.Timeout.Present, want.Timeout)
		set(&p.Retries.Value, &p.Retries.Present, want.Retries)
		set(&p.ConsecutiveDown.Value, &p.ConsecutiveDown.Present, want.ConsecutiveDown)
		set(&p.ConsecutiveUp.Value, &p.ConsecutiveUp.Present, want.ConsecutiveUp)
		if _, err := c.monitors.Update(ctx, id, p); err != nil {
			return told("change the monitor "+want.Description, err)
		}
		return nil
	}
	var p load_balancers.MonitorNewParams
	set(&p.AccountID.Value, &p.AccountID.Present, c.access.Account)
	set(&p.Description.Value, &p.Description.Present, want.Description)
	set(&p.Type.Value, &p.Type.Present, load_balancers.MonitorNewParamsType(want.Type))
	set(&p.Method.Value, &p.Method.Present, want.Method)
	set(&p.Path.Value, &p.Path.Present, want.Path)
	set(&p.ExpectedCodes.Value, &p.ExpectedCodes.Present, want.ExpectedCodes)
	set(&p.Port.Value, &p.Port.Present, want.Port)
	set(&p.Interval.Value, &p.Interval.Present, want.Interval)
	set(&p.Timeout.Value, &p.Timeout.Present, want.Timeout)
	set(&p.Retries.Value, &p.Retries.Present, want.Retries)
	set(&p.ConsecutiveDown.Value, &p.ConsecutiveDown.Present, want.ConsecutiveDown)
	set(&p.ConsecutiveUp.Value, &p.ConsecutiveUp.Present, want.ConsecutiveUp)
	made, err := c.monitors.New(ctx, p)
	if err != nil {
		return told("create the monitor "+want.Description, err)
	}
	d.now.monitorIDs[want.Description] = made.ID
	return nil
}

func (c *Client) deleteMonitor(ctx context.Context, d *Diff, gone Monitor) error {
	var query load_balancers.MonitorDeleteParams
	set(&query.AccountID.Value, &query.AccountID.Present, c.access.Account)
	if _, err := c.monitors.Delete(ctx, d.now.monitorIDs[gone.Description], query); err != nil {
		return told("delete the monitor "+gone.Description, err)
	}
	return nil
}
