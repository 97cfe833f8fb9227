package launcher

import (
	"os"
	"slices"

	"github.com/meridian-store/meridian/local/process"
)

const stateFile = "state.json"

// State is what `up` writes down of itself, for the other commands and for the `up` after a crash.
type State struct {
	// Up is the launcher itself.
	Up       process.Identity `json:"up"`
	BasePort int              `json:"base_port"`
	Split    bool             `json:"split"`
	// Ready turns true when everything has been started once.
	Ready bool `json:"ready"`
	// Announced turns true when whoever asked for the start has been told, an asked-for seed included.
	Announced bool `json:"announced"`
	// Failure is why `up` gave up, when it did.
	Failure string `json:"failure,omitempty"`
	// Regions are the names of all region files in port order, and Started those of them that the copy keeps up.
	Regions   []string        `json:"regions"`
	Started   []string        `json:"started"`
	EdgeURL   string          `json:"edge_url"`
	Processes []process.State `json:"processes"`
}

// ReadState gives the last state that an `up` wrote in a home; false when there never was one.
func ReadState(home Home) (State, bool, error) {
	var state State
	found, err := home.readJSON(stateFile, &state)
	return state, found, err
}

// Running says whether the launcher that wrote the state still lives.
func (s State) Running() bool { return s.Up.PID != 0 && s.Up.Alive() }

// identities lists the children that the state knows.
func (s State) identities() []process.Identity {
	var ids []process.Identity
	for _, child := range s.Processes {
		if child.PID != 0 {
			ids = append(ids, child.Identity())
		}
	}
	return ids
}

func self() (process.Identity, error) { return process.Identify(os.Getpid()) }

// GatewayURL is the address of the gateway of the i-th region that is started.
func (s State) GatewayURL(i int) string {
	place := i
	if i < len(s.Started) {
		place = slices.Index(s.Regions, s.Started[i])
	}
	return "http://" + address(Ports{Base: s.BasePort}.Gateway(place))
}

func (s State) isStarted(region string) bool { return slices.Contains(s.Started, region) }

// setStarted keeps Started in port order. It never changes the slice that a snapshot shares.
func (s *State) setStarted(region string, started bool) {
	var names []string
	for _, name := range s.Regions {
		if (name == region && started) || (name != region && s.isStarted(name)) {
			names = append(names, name)
		}
	}
	s.Started = names
}
