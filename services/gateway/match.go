package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/contract"
)

// matcher finds a request's route in a tree of path segments.
type matcher struct {
	root node
}

type node struct {
	literals map[string]*node
	param    *node
	// here serves paths that end at this node; rest serves them and all below.
	here, rest map[string]*compiledRoute
}

// compiledRoute is a route of the table as requests meet it.
type compiledRoute struct {
	Route
	limits []namedLimit
}

// namedLimit is a limit with its name in the table, which leads its keys and its headers.
type namedLimit struct {
	Limit
	name string
}

// newMatcher builds the tree and refuses two routes that are equally specific for the same method.
func newMatcher(table Table) (*matcher, error) {
	m := &matcher{}
	for _, route := range table.Routes {
		compiled := &compiledRoute{Route: route}
		for _, name := range route.Limits {
			compiled.limits = append(compiled.limits, namedLimit{Limit: table.Limits[name], name: name})
		}
		if err := m.add(compiled); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *matcher) add(route *compiledRoute) error {
	at, table := &m.root, (*map[string]*compiledRoute)(nil)
	for segment := range strings.SplitSeq(route.Path[1:], "/") {
		switch {
		case segment == restSegment:
			table = &at.rest
		case strings.HasPrefix(segment, "{"):
			if at.param == nil {
				at.param = &node{}
			}
			at = at.param
		default:
			if at.literals == nil {
				at.literals = map[string]*node{}
			}
			if at.literals[segment] == nil {
				at.literals[segment] = &node{}
			}
			at = at.literals[segment]
		}
	}
	if table == nil {
		table = &at.here
	}
	if *table == nil {
		*table = map[string]*compiledRoute{}
	}
	for _, method := range route.answered() {
		if other, taken := (*table)[method]; taken {
			return fmt.Errorf("%s %s and %s are equally specific", method, other.Path, route.Path)
		}
		(*table)[method] = route
	}
	return nil
}

// answered lists the methods that the gateway takes for a route.
func (r Route) answered() []string {
	if r.Service != contract.ServiceGateway && slices.Contains(r.Methods, http.MethodGet) {
		return append([]string{http.MethodHead}, r.Methods...)
	}
	return r.Methods
}

// find gives the most specific route for a method and a checked path; without one, the methods that the path does answer, nil when
// there is nothing at it.
func (m *matcher) find(method, path string) (route *compiledRoute, allowed []string) {
	if route = m.root.find(method, path[1:], &allowed); route != nil {
		return route, nil
	}
	slices.Sort(allowed)
	return nil, slices.Compact(allowed)
}

// find walks the rest of a path: "" is a path that ended with a slash, which no pattern has.
func (n *node) find(method, path string, allowed *[]string) *compiledRoute {
	segment, below, more := strings.Cut(path, "/")
	if segment != "" {
		for _, child := range []*node{n.literals[segment], n.param} {
			if child == nil {
				continue
			}
			if more {
				if route := child.find(method, below, allowed); route != nil {
					return route
				}
			} else if route := child.end(method, allowed); route != nil {
				return route
			}
		}
	}
	if strings.HasSuffix(path, "/") || path == "" {
		return nil
	}
	return pick(n.rest, method, allowed)
}

func (n *node) end(method string, allowed *[]string) *compiledRoute {
	if route := pick(n.here, method, allowed); route != nil {
		return route
	}
	return pick(n.rest, method, allowed)
}

func pick(routes map[string]*compiledRoute, method string, allowed *[]string) *compiledRoute {
	if route, ok := routes[method]; ok {
		return route
	}
	for served := range routes {
		*allowed = append(*allowed, served)
	}
	return nil
}
