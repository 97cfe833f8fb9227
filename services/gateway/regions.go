package gateway

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/retry"
)

const (
	// askAgainAfter is how long after a failure, or after an answer that can not be watched, a region is asked about anew.
	askAgainAfter = 2 * time.Second
	// askRegionTimeout leaves room for the 220 ms that light takes to the other side of the world and back.
	askRegionTimeout = 600 * time.Millisecond
	// believeFor is how long the last known answer of a silent region stands: a lost packet should not show as a lost region, and a
	// lost region should show.
	believeFor = 10 * time.Second
)

// RegionStatus is one region as GET /api/v1/regions shows it.
type RegionStatus struct {
	Name     string `json:"name" example:"eu-west"`
	Code     string `json:"code" example:"euw" doc:"Carried by every id made there"`
	City     string `json:"city" example:"Dublin"`
	Currency string `json:"currency" example:"EUR" doc:"ISO 4217"`
	// Healthy is this region's view of it.
	Healthy bool `json:"healthy" doc:"Whether it takes shoppers, as the answering region knows"`
	// RTTMS is absent for the answering region itself, for one that does not answer, and where no link is known.
	RTTMS *float64 `json:"rtt_ms,omitempty" doc:"Round trip from the answering region over the link between the two, in milliseconds, as last measured"`
	// DistanceKM is absent when the edge did not say where the caller is.
	DistanceKM *int64 `json:"distance_km,omitempty" doc:"Great-circle distance from the caller in kilometres"`
	// SteeringPlace is absent too when the edge did not say where the caller is, and for a region that is not tried.
	SteeringPlace *int `json:"steering_place,omitempty" minimum:"1" doc:"Place in the order in which the caller's requests are sent to regions: 1 is the first, those that are not healthy have none"`
	// SteeringReason is a geo.Reason, or one of the two below.
	SteeringReason string `json:"steering_reason,omitempty" enum:"resident,distance,unhealthy,refused" doc:"Why it has that place, or none: resident = the caller's country is kept there, distance = it is nearer than those after it, unhealthy = it takes no shoppers now, refused = it does not serve the caller's country"`
}

// Why a region has no place in a caller's order.
const (
	reasonUnhealthy = "unhealthy"
	reasonRefused   = "refused"
)

// askRegion gives the healthy instances of a service in a region: at once, or, with the index of an earlier answer, when they are others
// or the patience of who answers is over. Within is the time for the way there and back.
type askRegion func(ctx context.Context, region, service string, since uint64, within time.Duration) (addresses []string, index uint64, err error)

// regionHealth knows which regions take shoppers. Requests read what a loop last learned.
type regionHealth struct {
	own     string
	regions []contract.Region
	// ask gives the healthy gateways of a region.
	ask askRegion
	// links are our own probes; nil believes Consul alone.
	links *peers
	now   func() time.Time
	log   *slog.Logger

	mu    sync.RWMutex
	known map[string]sighting
}

// sighting is the last answer about a region, and when it was given.
type sighting struct {
	healthy bool
	at      time.Time
}

func newRegionHealth(base *kit.Base, peers map[string]string) *regionHealth {
	return &regionHealth{
		own: base.Region.Name, regions: base.Regions, ask: base.Discovery.InstancesIn, now: base.Now, log: base.Log,
		links: newPeers(base.Region, base.Regions, peers, base.Now, base.Log),
		known: map[string]sighting{},
	}
}

// watch follows what Consul says of the other regions until the context ends. A silent one delays no other.
func (h *regionHealth) watch(ctx context.Context) error {
	var following sync.WaitGroup
	for _, region := range h.regions {
		if region.Name != h.own {
			following.Go(func() { h.follow(ctx, region.Name) })
		}
	}
	following.Wait()
	return nil
}

func (h *regionHealth) follow(ctx context.Context, region string) {
	for index := uint64(0); ctx.Err() == nil; {
		if index = h.learn(ctx, region, index); index > 0 {
			continue
		}
		_ = retry.Pause(ctx, askAgainAfter) // the loop's condition sees the end
	}
}

// learn asks about a region once, and gives what to ask with the next time: 0 after a failure.
func (h *regionHealth) learn(ctx context.Context, region string, since uint64) (index uint64) {
	gateways, index, err := h.ask(ctx, region, contract.ServiceGateway, since, askRegionTimeout)
	if err != nil {
		h.log.DebugContext(ctx, "A region could not be asked about; what was last known of it stands for a while.", "asked_region", region, "error", err.Error())
		return 0
	}
	healthy := len(gateways) > 0
	h.mu.Lock()
	before, seen := h.known[region]
	h.known[region] = sighting{healthy: healthy, at: h.now()}
	h.mu.Unlock()
	if !seen || before.healthy != healthy {
		h.log.InfoContext(ctx, "The health of a region changed.", "asked_region", region, "healthy", healthy)
	}
	return index
}

// others gives the names of the other regions, nearest first.
func (h *regionHealth) others() []string {
	var own geo.Point
	var rest []geo.Region
	for _, region := range h.regions {
		if region.Name == h.own {
			own = region.Point
		} else {
			rest = append(rest, region.Region)
		}
	}
	names := make([]string, 0, len(rest))
	for _, region := range geo.Order(own, rest) {
		names = append(names, region.Name)
	}
	return names
}

// healthy says whether a region takes shoppers: Consul says so, and it answers over the link from here.
func (h *regionHealth) healthy(region string) bool {
	if region == h.own {
		return true
	}
	if reachable, _ := h.links.reachable(region); !reachable {
		return false
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	last, seen := h.known[region]
	return seen && last.healthy && h.now().Sub(last.at) < believeFor
}

// statuses lists the regions in the order of their files; from is where the caller is, nil when nobody knows.
func (h *regionHealth) statuses(country string, from *geo.Point) []RegionStatus {
	all := make([]RegionStatus, 0, len(h.regions))
	for _, region := range h.regions {
		status := RegionStatus{
			Name: region.Name, Code: region.Code, City: region.City, Currency: region.Currency, Healthy: h.healthy(region.Name),
		}
		if reachable, roundTrip := h.links.reachable(region.Name); reachable && roundTrip > 0 {
			ms := math.Round(roundTrip.Seconds()*10_000) / 10
			status.RTTMS = &ms
		}
		all = append(all, status)
	}
	if from != nil {
		h.place(all, country, *from)
	}
	return all
}

// place adds to each region how far it is from the caller, and its place in the order in which it is tried.
func (h *regionHealth) place(all []RegionStatus, country string, from geo.Point) {
	known := make([]geo.Region, len(h.regions))
	status := make(map[string]*RegionStatus, len(h.regions))
	for i, region := range h.regions {
		known[i] = region.Region
		status[region.Name] = &all[i]
		km := int64(math.Round(geo.DistanceKM(from, region.Point)))
		all[i].DistanceKM = &km
	}
	plan := geo.Steer(country, from, known)
	for _, region := range plan.Refused {
		status[region.Name].SteeringReason = reasonRefused
	}
	next := 1
	for _, step := range plan.Steps {
		region := status[step.Region.Name]
		if !region.Healthy {
			region.SteeringReason = reasonUnhealthy
			continue
		}
		place := next
		region.SteeringPlace, region.SteeringReason = &place, string(step.Reason)
		next++
	}
}
