package link

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/meridian-store/meridian/kit/httpclient"
)

// Control changes the links that a Run serves. toxiproxy's own client knows no deadline; a command that waits for a hung process
// forever would be worse than these few requests.
type Control struct {
	// API is the host:port of the links' API.
	API string
}

// maxAnswer bounds what is read of an answer, in bytes: every link takes less than one KB of it.
const maxAnswer = 1 << 20

// proxy is a proxy as toxiproxy's API shows it.
type proxy struct {
	Name    string  `json:"name"`
	Enabled bool    `json:"enabled"`
	Toxics  []toxic `json:"toxics"`
}

// Ready is nil when the API answers.
func (c Control) Ready(ctx context.Context) error {
	return c.do(ctx, http.MethodGet, "/version", nil, nil)
}

// Conditions gives what the proxies do now, by link name.
func (c Control) Conditions(ctx context.Context) (map[string]Condition, error) {
	var all map[string]proxy
	if err := c.do(ctx, http.MethodGet, "/proxies", nil, &all); err != nil {
		return nil, err
	}
	now := make(map[string]Condition, len(all))
	for name, p := range all {
		now[name] = condition(p.Toxics)
	}
	return now, nil
}

// Apply makes a link behave by a condition, within milliseconds. To apply one twice is fine.
func (c Control) Apply(ctx context.Context, name string, wanted Condition) error {
	path := "/proxies/" + url.PathEscape(name)
	var now proxy
	if err := c.do(ctx, http.MethodGet, path, nil, &now); err != nil {
		return err
	}
	toxics := wanted.toxics()
	for _, active := range now.Toxics {
		if !slices.ContainsFunc(toxics, func(t toxic) bool { return t.Name == active.Name }) {
			if err := c.do(ctx, http.MethodDelete, path+"/toxics/"+active.Name, nil, nil); err != nil {
				return err
			}
		}
	}
	for _, t := range toxics {
		i := slices.IndexFunc(now.Toxics, func(active toxic) bool { return active.Name == t.Name })
		switch {
		case i < 0:
			if err := c.do(ctx, http.MethodPost, path+"/toxics", t.body(), nil); err != nil {
				return err
			}
		case !maps.Equal(now.Toxics[i].Attributes, t.Attributes):
			if err := c.do(ctx, http.MethodPost, path+"/toxics/"+t.Name, t.body(), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c Control) do(ctx context.Context, method, path string, body io.Reader, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.API+path, body)
	if err != nil {
		return fmt.Errorf("ask the links: %w", err)
	}
	response, err := httpclient.Default.Do(request)
	if err != nil {
		return fmt.Errorf("ask the links: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the links' answer: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the links answer %s %s with %d: %s", method, path, response.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("read the links' answer: %w", err)
	}
	return nil
}
