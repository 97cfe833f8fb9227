// Package secret holds secrets that can rotate: the value in use and, while a rotation is under way, the previous one, which is
// still accepted. It never shows a value in logs, errors or JSON.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// redacted is what every formatter prints instead of a value.
const redacted = "[redacted]"

// Secret is a current value and at most one previous value. The zero Secret is unset and matches nothing. Call Current at each use
// instead of keeping its result, so that a rotation takes effect.
type Secret struct {
	// values is behind a pointer, because fmt prints the unexported fields of a struct that holds a Secret without calling Format.
	values *[]string
}

// New returns a secret without a previous value.
func New(current string) Secret {
	return Secret{values: &[]string{current}}
}

// Parse reads "current" or "current previous", separated by white space, which neither value may contain. "" is unset.
func Parse(text string) (Secret, error) {
	fields := strings.Fields(text)
	if len(fields) > 2 {
		return Secret{}, fmt.Errorf("a secret has at most two values (current and previous), got %d", len(fields))
	}
	if len(fields) == 0 {
		return Secret{}, nil
	}
	return Secret{values: &fields}, nil
}

// EnvDecode is envconfig's hook; it reads what Parse reads.
func (s *Secret) EnvDecode(value string) (err error) {
	*s, err = Parse(value)
	return err
}

// IsSet reports whether there is a current value.
func (s Secret) IsSet() bool { return s.Current() != "" }

// Current returns the value to present and to sign with, "" when unset.
func (s Secret) Current() string {
	if values := s.Values(); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values returns the accepted values, the current one first.
func (s Secret) Values() []string {
	if s.values == nil {
		return nil
	}
	return *s.values
}

// Matches reports, in constant time, whether presented is an accepted value.
func (s Secret) Matches(presented string) bool {
	matches := 0
	for _, value := range s.Values() {
		matches |= subtle.ConstantTimeCompare([]byte(presented), []byte(value))
	}
	return matches == 1 && s.IsSet()
}

// Format is fmt's hook for every verb; it shows no value.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) } // fmt.State keeps no errors

// LogValue is slog's hook; it shows no value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is the hook of encoders; it shows no value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
