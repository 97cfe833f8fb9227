package control

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

func (s *Server) list(of kind) func(*http.Request) (any, error) {
	return func(*http.Request) (any, error) {
		things := s.look().Things[of]
		all := make([]any, 0, len(things))
		for _, id := range slices.Sorted(maps.Keys(things)) {
			all = append(all, things[id])
		}
		return all, nil
	}
}

func (s *Server) get(of kind) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		found, there := s.look().Things[of][r.PathValue("id")]
		if !there {
			return nil, missing(of)
		}
		return found, nil
	}
}

func missing(of kind) error {
	return &refusal{status: http.StatusNotFound, code: 1001, reason: fmt.Sprintf("%s not found: not found", strings.TrimSuffix(string(of), "s"))}
}

func (s *Server) create(of kind) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) { return s.put(of, r, newID(), true) }
}

func (s *Server) replace(of kind) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) { return s.put(of, r, r.PathValue("id"), false) }
}

func (s *Server) put(of kind, r *http.Request, id string, fresh bool) (any, error) {
	var sent thing
	if err := decode(r, &sent); err != nil {
		return nil, err
	}
	if sent == nil {
		return nil, invalid(1002, "the body is no object")
	}
	now := s.cfg.Now().UTC().Format(timeForm)
	err := s.change(func(next *state) error {
		before, there := next.Things[of][id]
		if !there && !fresh {
			return missing(of)
		}
		for name, value := range usual[of] {
			if _, given := sent[name]; !given {
				sent[name] = value
			}
		}
		if err := next.check(of, id, sent); err != nil {
			return err
		}
		sent["id"], sent["modified_on"], sent["created_on"] = id, now, now
		if there {
			sent["created_on"] = before["created_on"]
		}
		next.Things[of][id] = sent
		return nil
	})
	return sent, err
}

// usual is what the API fills in.
var usual = map[kind]thing{
	monitors:  {"allow_insecure": false, "follow_redirects": false, "header": map[string]any{}, "probe_zone": "", "expected_body": "", "port": float64(0)},
	pools:     {"enabled": true, "minimum_origins": float64(1), "check_regions": nil},
	balancers: {"enabled": true, "proxied": false, "session_affinity": "none"},
}

func (s *Server) remove(of kind) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		id := r.PathValue("id")
		err := s.change(func(next *state) error {
			if _, there := next.Things[of][id]; !there {
				return missing(of)
			}
			if user := next.userOf(of, id); user != "" {
				return &refusal{status: http.StatusPreconditionFailed, code: 1005, reason: "it is in use by " + user}
			}
			delete(next.Things[of], id)
			return nil
		})
		return thing{"id": id}, err
	}
}

// userOf names what would miss a thing.
func (s *state) userOf(of kind, id string) string {
	for name, pool := range s.Things[pools] {
		if of == monitors && pool["monitor"] == id {
			return "the pool " + name
		}
	}
	for name, balancer := range s.Things[balancers] {
		if of == pools && slices.Contains(poolsOf(balancer), id) {
			return "the load balancer " + name
		}
	}
	return ""
}

var poolName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

func (s *state) check(of kind, id string, t thing) error {
	switch of {
	case monitors:
		if path, _ := t["path"].(string); !strings.HasPrefix(path, "/") {
			return invalid(1002, "path: must begin with /: validation failed")
		}
	case pools:
		return s.checkPool(id, t)
	case balancers:
		return s.checkBalancer(t)
	}
	return nil
}

func (s *state) checkPool(id string, t thing) error {
	name, _ := t["name"].(string)
	if !poolName.MatchString(name) {
		return invalid(1002, "name: must be of letters, digits, hyphens and underscores: validation failed")
	}
	for other, pool := range s.Things[pools] {
		if other != id && pool["name"] == name {
			return invalid(1002, "name: is used by another pool: validation failed")
		}
	}
	origins, _ := t["origins"].([]any)
	if len(origins) == 0 {
		return invalid(1002, "origins: at least one is needed: validation failed")
	}
	for _, each := range origins {
		origin, _ := each.(map[string]any)
		address, _ := origin["address"].(string)
		if _, err := netip.ParseAddr(address); err != nil && !strings.Contains(address, ".") && address != "localhost" {
			return invalid(1002, "origins: address %q is neither an IP address nor a hostname: validation failed", address)
		}
	}
	if monitor, _ := t["monitor"].(string); monitor != "" && s.Things[monitors][monitor] == nil {
		return invalid(1002, "monitor: there is no such monitor: validation failed")
	}
	return nil
}

func (s *state) checkBalancer(t thing) error {
	if name, _ := t["name"].(string); name == "" {
		return invalid(1002, "name: is required: validation failed")
	}
	if fallback, _ := t["fallback_pool"].(string); fallback == "" {
		return invalid(1002, "fallback_pool: is required: validation failed")
	}
	if defaults, _ := t["default_pools"].([]any); len(defaults) == 0 {
		return invalid(1002, "default_pools: at least one is needed: validation failed")
	}
	for _, id := range poolsOf(t) {
		if s.Things[pools][id] == nil {
			return invalid(1002, "there is no pool %q: validation failed", id)
		}
	}
	return nil
}

// poolsOf lists every pool that a load balancer names.
func poolsOf(balancer thing) []string {
	ids := texts(balancer["default_pools"])
	if fallback, _ := balancer["fallback_pool"].(string); fallback != "" {
		ids = append(ids, fallback)
	}
	for _, by := range []string{"region_pools", "country_pools"} {
		for _, list := range listsOf(balancer[by]) {
			ids = append(ids, list...)
		}
	}
	return ids
}

func texts(value any) []string {
	list, _ := value.([]any)
	words := make([]string, 0, len(list))
	for _, each := range list {
		if word, ok := each.(string); ok {
			words = append(words, word)
		}
	}
	return words
}

func listsOf(value any) map[string][]string {
	members, _ := value.(map[string]any)
	lists := make(map[string][]string, len(members))
	for name, list := range members {
		lists[name] = texts(list)
	}
	return lists
}
