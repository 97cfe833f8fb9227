package cloudflare

import (
	"fmt"
	"slices"
	"strings"
)

// Plan is what a zone is subscribed to. It decides what a rule can say and how fast one may purge.
type Plan string

// The plans.
const (
	Free       Plan = "free"
	Pro        Plan = "pro"
	Business   Plan = "business"
	Enterprise Plan = "enterprise"
)

// Limits are a plan's, as Cloudflare's documents give them (2026-11).
type Limits struct {
	// PurgesPerSecond is how many purge requests an account may make on average, PurgeBurst how many at once.
	PurgesPerSecond float64
	PurgeBurst      int
	// CustomKey says that a cache key may name the parameters that count. Elsewhere all do, sorted.
	CustomKey bool
	// RegionalTiers says that locations may ask a hub of their part of the world first.
	RegionalTiers bool
	// OwnBlockAnswers says that a rule that blocks may say what it answers. Elsewhere shoppers see Cloudflare's own page, with 403.
	OwnBlockAnswers bool
	// Rules is how many rules each phase of a zone takes, those of others included.
	Rules map[string]int
}

// PurgeOperations is how many tags, addresses or prefixes one purge request may name, on every plan.
const PurgeOperations = 100

var limits = map[Plan]Limits{
	Free:       {PurgesPerSecond: 5.0 / 60, PurgeBurst: 25, Rules: phaseRules(5, 10, 10)},
	Pro:        {PurgesPerSecond: 5, PurgeBurst: 25, OwnBlockAnswers: true, Rules: phaseRules(20, 25, 25)},
	Business:   {PurgesPerSecond: 10, PurgeBurst: 50, OwnBlockAnswers: true, Rules: phaseRules(100, 50, 50)},
	Enterprise: {PurgesPerSecond: 50, PurgeBurst: 500, CustomKey: true, RegionalTiers: true, OwnBlockAnswers: true, Rules: phaseRules(1000, 300, 300)},
}

func phaseRules(firewall, cache, transform int) map[string]int {
	return map[string]int{PhaseFirewall: firewall, PhaseCache: cache, PhaseTransform: transform}
}

// Plans lists them, the smallest first.
func Plans() []Plan { return []Plan{Free, Pro, Business, Enterprise} }

// ParsePlan reads a plan's name.
func ParsePlan(name string) (Plan, error) {
	if plan := Plan(strings.ToLower(name)); slices.Contains(Plans(), plan) {
		return plan, nil
	}
	return "", fmt.Errorf("%q is not one of Cloudflare's plans: free, pro, business, enterprise", name)
}

// Limits gives the plan's.
func (p Plan) Limits() Limits { return limits[p] }

// Lacks says, a sentence each, what of the rules the plan cannot do.
func (p Plan) Lacks() []string {
	var lacks []string
	if !p.Limits().CustomKey {
		lacks = append(lacks, "Every query parameter is part of a cache key on this plan, also those that the rules ignore.")
	}
	if !p.Limits().OwnBlockAnswers {
		lacks = append(lacks, "Blocked requests get Cloudflare's own page with status 403 on this plan, not the shop's problem documents.")
	}
	if !p.Limits().RegionalTiers {
		lacks = append(lacks, "Edge locations do not ask a hub of their part of the world on this plan.")
	}
	return lacks
}
