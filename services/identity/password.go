package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"

	"github.com/meridian-store/meridian/contract"
)

// cost is what one hash takes.
type cost struct {
	// memory is in KiB.
	memory, passes uint32
	lanes          uint8
}

// ours is OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
func ours() cost { return cost{memory: 19 << 10, passes: 2, lanes: 1} }

const (
	saltBytes = 16
	hashBytes = 32
	// maxMemory and maxPasses bound what a stored hash may make us spend.
	maxMemory, maxPasses = 1 << 20, 64
	// hashWait is how long a request waits for its turn.
	hashWait = 2 * time.Second
)

var errNotPHC = errors.New("the stored password is not an argon2id PHC string")

// passwords hashes and compares, a few at a time, so that logging in cannot eat the machine that others buy on.
type passwords struct {
	turns *semaphore.Weighted
	// dummy is compared with when there is no account, so that it takes as long.
	dummy string
}

func newPasswords() *passwords {
	return &passwords{
		turns: semaphore.NewWeighted(int64(max(1, runtime.GOMAXPROCS(0)/2))),
		dummy: encode(ours(), make([]byte, saltBytes), make([]byte, hashBytes)),
	}
}

// hash gives the PHC string of a new password; contract.CodeUnavailable when too many others are being hashed.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails: it ends the process instead
	key, err := p.derive(ctx, password, salt, ours(), hashBytes)
	if err != nil {
		return "", err
	}
	return encode(ours(), salt, key), nil
}

// matches says whether a password is the stored one; stored "" stands for no account, which takes as long and matches nothing.
func (p *passwords) matches(ctx context.Context, stored, password string) (bool, error) {
	known := stored != ""
	if !known {
		stored = p.dummy
	}
	with, salt, want, err := decode(stored)
	if err != nil {
		return false, err
	}
	got, err := p.derive(ctx, password, salt, with, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

// outdated says whether a stored hash was made at another cost than today's.
func outdated(stored string) bool {
	with, _, _, err := decode(stored)
	return err == nil && with != ours()
}

func (p *passwords) derive(ctx context.Context, password string, salt []byte, with cost, length uint32) ([]byte, error) {
	waiting, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	if err := p.turns.Acquire(waiting, 1); err != nil {
		return nil, contract.Unavailable(err, "too many people are logging in; try again shortly")
	}
	defer p.turns.Release(1)
	// The same password may be typed in several ways on several keyboards.
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, with.passes, with.memory, with.lanes, length), nil
}

func encode(with cost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, with.memory, with.passes, with.lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// decode reads a PHC string and refuses one that would cost more than any of ours ever will.
func decode(text string) (with cost, salt, key []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost{}, nil, nil, errNotPHC
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &with.memory, &with.passes, &with.lanes); err != nil || n != 3 {
		return cost{}, nil, nil, errNotPHC
	}
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	switch {
	case saltErr != nil || keyErr != nil || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64:
		return cost{}, nil, nil, errNotPHC
	case with.memory < 8 || with.memory > maxMemory || with.passes < 1 || with.passes > maxPasses || with.lanes < 1 || encode(with, salt, key) != text:
		return cost{}, nil, nil, errNotPHC
	}
	return with, salt, key, nil
}
