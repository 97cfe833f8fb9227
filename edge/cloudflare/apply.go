package cloudflare

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cloudflare/cloudflare-go/v7/argo"
	"github.com/cloudflare/cloudflare-go/v7/cache"
	"github.com/cloudflare/cloudflare-go/v7/load_balancers"
	"github.com/cloudflare/cloudflare-go/v7/rulesets"
)

// Action is what becomes of one thing in a zone.
type Action string

// The actions.
const (
	Create    Action = "create"
	Update    Action = "update"
	Delete    Action = "delete"
	Unchanged Action = "unchanged"
)

// Change is one line of a diff.
type Change struct {
	Action Action `json:"action"`
	// Kind is rule, monitor, pool, load_balancer or tiered_cache; Name is the ref or name of the one.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Fields are those that differ, of an update.
	Fields []string `json:"fields,omitempty"`
}

// Diff is what a zone lacks, or has too much.
type Diff struct {
	Changes []Change `json:"changes"`
	now     *found
	desired State
}

// Empty says that the zone is as it should be.
func (d *Diff) Empty() bool {
	return !slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Action != Unchanged })
}

// Diff compares a zone with what it should hold.
func (c *Client) Diff(ctx context.Context, desired State) (*Diff, error) {
	now, err := c.read(ctx, desired.Balancer.Name)
	if err != nil {
		return nil, err
	}
	if sends(now.State, refSecret) && !sends(desired, refSecret) {
		return nil, fmt.Errorf("the zone proves itself to gateways by the rule %s, which would be deleted: set MERIDIAN_EDGE_SECRET to the gateways' secret (or delete the rule at Cloudflare first, if gateways want none)", refSecret)
	}
	d := &Diff{now: now, desired: desired}
	for _, phase := range Phases() {
		compareAll(d, "rule", now.Phases[phase], desired.Phases[phase], func(r Rule) string { return r.Ref })
		// Rules stack in order, so that order is part of what they mean.
		if !slices.EqualFunc(now.Phases[phase], desired.Phases[phase], func(a, b Rule) bool { return a.Ref == b.Ref }) && d.allUnchanged(desired.Phases[phase]) {
			d.Changes = append(d.Changes, Change{Action: Update, Kind: "rule", Name: phase, Fields: []string{"order"}})
		}
	}
	compareAll(d, "monitor", now.Monitors, desired.Monitors, func(m Monitor) string { return m.Description })
	compareAll(d, "pool", now.Pools, desired.Pools, func(p Pool) string { return p.Name })
	compareAll(d, "load_balancer", some(now.balancerID, now.Balancer), []Balancer{desired.Balancer}, func(b Balancer) string { return b.Name })
	compareAll(d, "tiered_cache", []Tiers{now.Tiers}, []Tiers{desired.Tiers}, func(Tiers) string { return "zone" })
	slices.SortStableFunc(d.Changes, func(a, b Change) int { return cmp.Compare(a.Kind, b.Kind) })
	return d, nil
}

// sends says whether a rule of the transform phase has a ref.
func sends(s State, ref string) bool {
	return slices.ContainsFunc(s.Phases[PhaseTransform], func(r Rule) bool { return r.Ref == ref })
}

func (d *Diff) allUnchanged(rules []Rule) bool {
	return !slices.ContainsFunc(rules, func(r Rule) bool {
		return !slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Name == r.Ref && c.Action == Unchanged })
	})
}

// some is nothing when there is no id.
func some[T any](id string, value T) []T {
	if id == "" {
		return nil
	}
	return []T{value}
}

func compareAll[T any](d *Diff, kind string, now, desired []T, name func(T) string) {
	for _, want := range desired {
		i := slices.IndexFunc(now, func(is T) bool { return name(is) == name(want) })
		if i < 0 {
			d.Changes = append(d.Changes, Change{Action: Create, Kind: kind, Name: name(want)})
			continue
		}
		change := Change{Action: Unchanged, Kind: kind, Name: name(want), Fields: differing(now[i], want)}
		if len(change.Fields) > 0 {
			change.Action = Update
		}
		d.Changes = append(d.Changes, change)
	}
	for _, is := range now {
		if !slices.ContainsFunc(desired, func(want T) bool { return name(want) == name(is) }) {
			d.Changes = append(d.Changes, Change{Action: Delete, Kind: kind, Name: name(is)})
		}
	}
}

// differing names the JSON members that are not equal.
func differing(a, b any) []string {
	members := func(value any) map[string]json.RawMessage {
		text, err := json.Marshal(value)
		if err != nil {
			panic(err) // our own types of texts and numbers
		}
		var split map[string]json.RawMessage
		if err := json.Unmarshal(text, &split); err != nil {
			panic(err)
		}
		return split
	}
	is, want := members(a), members(b)
	var names []string
	for name := range want {
		if !bytes.Equal(is[name], want[name]) {
			names = append(names, name)
		}
	}
	for name := range is {
		if _, there := want[name]; !there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Apply makes a zone what it should be. Whoever repeats it after a failure goes on where it ended: what is equal already is not written.
func (c *Client) Apply(ctx context.Context, d *Diff) error {
	for _, phase := range Phases() {
		if d.changes("rule", append(refs(d.desired.Phases[phase], d.now.Phases[phase]), phase)...) {
			if err := c.writePhase(ctx, phase, d); err != nil {
				return err
			}
		}
	}
	if err := c.applyBalancing(ctx, d); err != nil {
		return err
	}
	if d.changes("tiered_cache", "zone") {
		return c.writeTiers(ctx, d.desired.Tiers)
	}
	return nil
}

func (c *Client) applyBalancing(ctx context.Context, d *Diff) error {
	for _, monitor := range d.desired.Monitors {
		if d.changes("monitor", monitor.Description) {
			if err := c.writeMonitor(ctx, d, monitor); err != nil {
				return err
			}
		}
	}
	for _, pool := range d.desired.Pools {
		if d.changes("pool", pool.Name) {
			if err := c.writePool(ctx, d, pool); err != nil {
				return err
			}
		}
	}
	if d.changes("load_balancer", d.desired.Balancer.Name, d.now.Balancer.Name) {
		if err := c.writeBalancer(ctx, d); err != nil {
			return err
		}
	}
	// Only now does nothing point to them any more.
	for _, pool := range d.now.Pools {
		if !slices.ContainsFunc(d.desired.Pools, func(p Pool) bool { return p.Name == pool.Name }) {
			var query load_balancers.PoolDeleteParams
			set(&query.AccountID.Value, &query.AccountID.Present, c.access.Account)
			if _, err := c.pools.Delete(ctx, d.now.poolIDs[pool.Name], query); err != nil {
				return told("delete the pool "+pool.Name, err)
			}
		}
	}
	for _, monitor := range d.now.Monitors {
		if !slices.ContainsFunc(d.desired.Monitors, func(m Monitor) bool { return m.Description == monitor.Description }) {
			if err := c.deleteMonitor(ctx, d, monitor); err != nil {
				return err
			}
		}
	}
	return nil
}

func refs(rules ...[]Rule) []string {
	var names []string
	for _, r := range slices.Concat(rules...) {
		names = append(names, r.Ref)
	}
	return names
}

// changes says whether something of a kind with one of the names is not as it should be.
func (d *Diff) changes(kind string, names ...string) bool {
	return slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Kind == kind && c.Action != Unchanged && slices.Contains(names, c.Name) })
}

// writePhase writes all rules of a phase, which the API replaces as a whole: those of others first, in their order, then ours.
func (c *Client) writePhase(ctx context.Context, phase string, d *Diff) error {
	var params rulesets.PhaseUpdateParams
	set(&params.ZoneID.Value, &params.ZoneID.Present, c.access.Zone)
	var rules []rulesets.PhaseUpdateParamsRuleUnion
	for _, text := range d.now.foreign[phase] {
		rules = append(rules, foreignRule{raw: text})
	}
	for _, r := range d.desired.Phases[phase] {
		own, err := ownRule(r)
		if err != nil {
			return err
		}
		rules = append(rules, own)
	}
	set(&params.Rules.Value, &params.Rules.Present, rules)
	if _, err := c.phases.Update(ctx, rulesets.Phase(phase), params); err != nil {
		return told("write the rules of "+phase, err)
	}
	return nil
}

// foreignRule sends somebody else's rule as it came, without what the API alone may say.
type foreignRule struct {
	rulesets.PhaseUpdateParamsRule
	raw json.RawMessage
}

// MarshalJSON keeps every member of the rule but its version and time.
func (f foreignRule) MarshalJSON() ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(f.raw, &members); err != nil {
		return nil, err
	}
	delete(members, "version")
	delete(members, "last_updated")
	return json.Marshal(members)
}

func ownRule(r Rule) (rulesets.PhaseUpdateParamsRule, error) {
	var p rulesets.PhaseUpdateParamsRule
	set(&p.Ref.Value, &p.Ref.Present, r.Ref)
	set(&p.Description.Value, &p.Description.Present, r.Description)
	set(&p.Expression.Value, &p.Expression.Present, r.Expression)
	set(&p.Action.Value, &p.Action.Present, rulesets.PhaseUpdateParamsRulesAction(r.Action))
	set(&p.Enabled.Value, &p.Enabled.Present, r.Enabled)
	if r.Parameters != nil {
		// Encoded here: the SDK's own encoder of maps races with itself when two clients send at once.
		text, err := json.Marshal(r.Parameters)
		if err != nil {
			return p, fmt.Errorf("write the parameters of the rule %s: %w", r.Ref, err)
		}
		set(&p.ActionParameters.Value, &p.ActionParameters.Present, any(json.RawMessage(text)))
	}
	return p, nil
}

func (c *Client) writeTiers(ctx context.Context, tiers Tiers) error {
	var smart argo.TieredCachingEditParams
	set(&smart.ZoneID.Value, &smart.ZoneID.Present, c.access.Zone)
	set(&smart.Value.Value, &smart.Value.Present, argo.TieredCachingEditParamsValue(onOff(tiers.Smart)))
	if _, err := c.tiers.Edit(ctx, smart); err != nil {
		return told("set tiered cache", err)
	}
	var regional cache.RegionalTieredCacheEditParams
	set(&regional.ZoneID.Value, &regional.ZoneID.Present, c.access.Zone)
	set(&regional.Value.Value, &regional.Value.Present, cache.RegionalTieredCacheEditParamsValue(onOff(tiers.Regional)))
	if _, err := c.regional.Edit(ctx, regional); err != nil && (tiers.Regional || !isForbidden(err)) {
		return told("set regional tiered cache", err)
	}
	return nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// String writes a change for people.
func (c Change) String() string {
	sign := map[Action]string{Create: "+", Update: "~", Delete: "-", Unchanged: " "}[c.Action]
	text := fmt.Sprintf("%s %-14s %s", sign, c.Kind, c.Name)
	if len(c.Fields) > 0 {
		text += " (" + strings.Join(c.Fields, ", ") + ")"
	}
	return text
}
