package search

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// apiKey may do some things with some collections. Its value is shown once, when it is made.
type apiKey struct {
	ID          int64    `json:"id"`
	Value       string   `json:"value"`
	Description string   `json:"description"`
	Actions     []string `json:"actions"`
	Collections []string `json:"collections"`
	ExpiresAt   int64    `json:"expires_at"`
}

const (
	prefixLength = 4
	keyLength    = 32
	never        = 64723363199 // as Typesense has it
)

func (k *apiKey) check() error {
	if len(k.Actions) == 0 || len(k.Collections) == 0 {
		return badRequest("Wrong format for `actions` or `collections`. It should be an array of string.")
	}
	return nil
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func randomKey() (string, error) {
	var out strings.Builder
	for range keyLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		out.WriteByte(alphabet[n.Int64()])
	}
	return out.String(), nil
}

// shown is a key without its value.
func (k apiKey) shown() map[string]any {
	return map[string]any{"id": k.ID, "description": k.Description, "actions": k.Actions, "collections": k.Collections, "expires_at": k.ExpiresAt,
		"value_prefix": k.Value[:prefixLength]}
}

// allows says whether a key may do something with a collection; "*" stands for all, and a pattern for those that it matches.
func (k apiKey) allows(action, collection string) bool {
	may := slices.ContainsFunc(k.Actions, func(each string) bool {
		resource, _, _ := strings.Cut(action, ":")
		return each == "*" || each == action || each == resource+":*"
	})
	with := collection == "" || slices.ContainsFunc(k.Collections, func(each string) bool {
		if each == "*" || each == collection {
			return true
		}
		pattern, err := regexp.Compile("^(?:" + each + ")$")
		return err == nil && pattern.MatchString(collection)
	})
	return may && with
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// admit says whether a key's value may do something with a collection. A scoped key, which a holder of a search key has made, carries
// parameters that the caller can not change.
func (e *Engine) admit(value, action, collection string) (embedded parameters, admitted bool) {
	if same(value, e.admin) {
		return nil, true
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	now := e.now().Unix()
	for _, k := range e.keys {
		if same(value, k.Value) && k.ExpiresAt > now && k.allows(action, collection) {
			return nil, true
		}
	}
	if action != "documents:search" {
		return nil, false
	}
	digest, prefix, text, ok := splitScoped(value)
	if !ok {
		return nil, false
	}
	for _, k := range e.keys {
		mac := hmac.New(sha256.New, []byte(k.Value))
		mac.Write([]byte(text))
		if k.Value[:prefixLength] != prefix || !same(digest, base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
			continue
		}
		if k.ExpiresAt <= now || !slices.Equal(k.Actions, []string{"documents:search"}) || !k.allows(action, collection) {
			continue
		}
		embedded, expires, err := readEmbedded(text)
		if err != nil || expires != 0 && expires <= now {
			continue
		}
		return embedded, true
	}
	return nil, false
}

// splitScoped takes a scoped key apart: base64 of an HMAC, the first letters of the key that it was made with, and the parameters.
func splitScoped(value string) (digest, prefix, text string, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(value)
	const digestLength = 44
	if err != nil || len(raw) < digestLength+prefixLength {
		return "", "", "", false
	}
	return string(raw[:digestLength]), string(raw[digestLength : digestLength+prefixLength]), string(raw[digestLength+prefixLength:]), true
}

func readEmbedded(text string) (parameters, int64, error) {
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return nil, 0, err
	}
	expires := int64(0)
	if at, isNumber := members["expires_at"].(float64); isNumber {
		expires = int64(at)
	}
	delete(members, "expires_at")
	return asParameters(members), expires, nil
}
