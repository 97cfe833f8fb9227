package source

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	variable     = regexp.MustCompile(`\bMERIDIAN_[A-Z0-9][A-Z0-9_]*`)
	testVariable = regexp.MustCompile(`\bMERIDIAN_TEST_[A-Z0-9][A-Z0-9_]*`)
	metric       = regexp.MustCompile(`^meridian_[a-z0-9_]+$`)
	// route is how Go's router, and tables that lead to it, name a method and a path.
	route = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE) /[^ ]*$`)
)

// names is a set of names.
type names map[string]bool

func (n names) add(found ...string) {
	for _, name := range found {
		n[name] = true
	}
}

func (n names) sorted() []string { return slices.Sorted(maps.Keys(n)) }

// Variables returns the MERIDIAN_* variables of the environment that string literals and scripts name. MERIDIAN_X_*
// stands for a name whose end is computed. Of the tests only MERIDIAN_TEST_* counts: those point at real engines.
func (s *Source) Variables() []string {
	found := names{}
	add := func(pattern *regexp.Regexp, text string) {
		for _, name := range pattern.FindAllString(text, -1) {
			if strings.HasSuffix(name, "_") {
				name += "*"
			}
			found.add(name)
		}
	}
	for _, text := range s.scripts {
		add(variable, text)
	}
	for _, file := range s.files {
		pattern := variable
		if file.test {
			pattern = testVariable
		}
		for _, literal := range file.literals {
			add(pattern, literal)
		}
	}
	return found.sorted()
}

// Metrics returns the literals that look like metric names in files that use the Prometheus client.
func (s *Source) Metrics() []string {
	const client = "github.com/prometheus/client_golang/prometheus"
	return s.literals(metric, func(path string) bool { return path == client })
}

// Routes returns the literals that name a method and a path: what the programs around the services answer, such as the
// launcher's control and the edge's administration.
func (s *Source) Routes() []string { return s.literals(route, func(string) bool { return true }) }

// literals returns the literals of a form in files, other than tests, that import a package.
func (s *Source) literals(form *regexp.Regexp, imports func(path string) bool) []string {
	found := names{}
	for _, file := range s.files {
		if file.test || !slices.ContainsFunc(file.imports, imports) {
			continue
		}
		for _, literal := range file.literals {
			if form.MatchString(literal) {
				found.add(literal)
			}
		}
	}
	return found.sorted()
}

// ProblemMembers returns the names of the members that files add to problem documents: the literal first arguments of
// methods With in files that import the contract, whatever folder that is in.
func (s *Source) ProblemMembers() []string {
	found := names{}
	for _, file := range s.files {
		usesContract := func(path string) bool { return strings.HasSuffix(path, "/contract") }
		if !file.test && slices.ContainsFunc(file.imports, usesContract) {
			found.add(file.members...)
		}
	}
	return found.sorted()
}
