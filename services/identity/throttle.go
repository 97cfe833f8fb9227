package identity

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
)

// countAttempt counts one more and starts the window with the first. KEYS: the count. ARGV: 1 the window (ms).
// Answers the count and what is left of the window (ms).
const countAttempt = `
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { n, redis.call('PTTL', KEYS[1]) }`

const throttleTimeout = 500 * time.Millisecond

// throttle counts the attempts at each address in the region's Redis, under the address's keyed hash. Without Redis nothing is
// refused: the few passwords that are compared at a time bound what a guesser can do.
type throttle struct {
	redis     rueidis.Client
	namespace string
	script    *rueidis.Lua
	log       *slog.Logger
}

func newThrottle(redis rueidis.Client, namespace string, log *slog.Logger) *throttle {
	return &throttle{redis: redis, namespace: namespace, script: rueidis.NewLuaScript(countAttempt), log: log}
}

// loginPrefix leads the key of the attempts at an address.
const loginPrefix = "login:"

func (t *throttle) key(addressHash []byte) string {
	return t.namespace + loginPrefix + hex.EncodeToString(addressHash)
}

// attempt counts one; contract.CodeTooMany when there were too many.
func (t *throttle) attempt(ctx context.Context, addressHash []byte) error {
	ctx, cancel := context.WithTimeout(ctx, throttleTimeout)
	defer cancel()
	answer, err := t.script.Exec(ctx, t.redis, []string{t.key(addressHash)}, []string{fmt.Sprint(attemptWindow.Milliseconds())}).AsIntSlice()
	if err != nil || len(answer) != 2 {
		t.log.WarnContext(ctx, "An attempt to log in was not counted.", "error", fmt.Sprint(err))
		return nil
	}
	if answer[0] <= maxAttempts {
		return nil
	}
	wait := time.Duration(answer[1]) * time.Millisecond
	return contract.Errorf(contract.CodeTooMany, "too many attempts at this address; try again later").With("retry_after", int64(wait/time.Second)+1)
}

// forget starts the count anew.
func (t *throttle) forget(ctx context.Context, addressHash []byte) {
	ctx, cancel := context.WithTimeout(ctx, throttleTimeout)
	defer cancel()
	if err := t.redis.Do(ctx, t.redis.B().Del().Key(t.key(addressHash)).Build()).Error(); err != nil {
		t.log.WarnContext(ctx, "The attempts before a login are still counted.", "error", err.Error())
	}
}
