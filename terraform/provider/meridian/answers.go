package meridian

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
)

// shopAnswer is what the provider needs of `meridian status --json`.
type shopAnswer struct {
	Running bool `json:"running"`
	Edge    struct {
		URL string `json:"url"`
		PID int    `json:"pid"`
	} `json:"edge"`
	SQL struct {
		PID   int  `json:"pid"`
		Ready bool `json:"ready"`
	} `json:"sql"`
	Regions []struct {
		Name string `json:"name"`
	} `json:"regions"`
}

// well says whether the copy runs, and with it what its regions share. An SQL server without a process stands elsewhere.
func (s shopAnswer) well() bool {
	return s.Running && s.Edge.PID != 0 && (s.SQL.Ready || s.SQL.PID == 0)
}

func (s shopAnswer) basePort() (int64, error) {
	address, err := url.Parse(s.Edge.URL)
	if err != nil {
		return 0, fmt.Errorf("read the edge's address: %w", err)
	}
	port, err := strconv.ParseInt(address.Port(), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the edge's port in %q: %w", s.Edge.URL, err)
	}
	return port, nil
}

func (p program) shop(ctx context.Context) (shopAnswer, error) {
	var answer shopAnswer
	err := p.ask(ctx, &answer, "status", "--json")
	return answer, err
}

// regionAnswer is what the provider needs of `meridian region show NAME --json`.
type regionAnswer struct {
	Running    bool     `json:"running"`
	Started    bool     `json:"started"`
	Ready      bool     `json:"ready"`
	Problems   []string `json:"problems"`
	GatewayURL string   `json:"gateway_url"`
	ConsulURL  string   `json:"consul_url"`
}

func (p program) region(ctx context.Context, name string) (regionAnswer, error) {
	var answer regionAnswer
	err := p.ask(ctx, &answer, "region", "show", name, "--json")
	return answer, err
}
