package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/meridian-store/meridian/contract"
)

// Auth is what a route asks of a bearer token. In YAML it is `none`, `optional`, or a list of roles.
type Auth struct {
	// Optional lets requests without a token through; a bad token is refused all the same.
	Optional bool
	// Roles, when not empty, are those of which the token must carry one.
	Roles []string

	set bool
}

// Anonymous says that the service never learns who asks: credentials are taken off the request, so that an expired token does not
// spoil a catalog read and an answer cannot depend on its reader.
func (a Auth) Anonymous() bool { return !a.Optional && len(a.Roles) == 0 }

// UnmarshalYAML reads one of the three forms.
func (a *Auth) UnmarshalYAML(data []byte) error {
	a.set = true
	if err := yaml.Unmarshal(data, &a.Roles); err == nil {
		// An empty list looks like "nobody" and would mean "anybody".
		if len(a.Roles) == 0 {
			return errors.New("auth is an empty list of roles")
		}
		return nil
	}
	var word string
	if err := yaml.Unmarshal(data, &word); err != nil {
		return fmt.Errorf("auth is neither a word nor a list of roles: %w", err)
	}
	switch word {
	case "none":
	case "optional":
		a.Optional = true
	default:
		return fmt.Errorf("auth %q is not none, optional or a list of roles", word)
	}
	return nil
}

func (a Auth) validate() error {
	if !a.set {
		return errors.New("auth is missing: none, optional or a list of roles")
	}
	for _, role := range a.Roles {
		if !slices.Contains(contract.Roles(), role) {
			return fmt.Errorf("role %q is not one of %s", role, strings.Join(contract.Roles(), ", "))
		}
	}
	return nil
}
