package redis_test

import (
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// What Meridian relies on in Redis (MERIDIAN_TEST_REDIS_URL runs it on another one).

// shared returns a client and the start of the test's own keys.
func shared(t *testing.T) (rueidis.Client, string) {
	t.Helper()
	address, password := enginetest.Redis(t)
	return connect(t, address, password), enginetest.Prefix()
}

func TestConformsScriptChangesAllKeysOfASlotOrNone(t *testing.T) {
	t.Parallel()
	client, prefix := shared(t)
	// The hash tag puts all keys of one cart into one slot.
	cart, outbox := prefix+":{crt_1}", prefix+":{crt_1}:outbox"
	change := rueidis.NewLuaScript(`
		if tonumber(redis.call('HGET', KEYS[1], 'version') or '0') ~= tonumber(ARGV[1]) then
			return redis.error_reply('CONFLICT version')
		end
		local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
		redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
		redis.call('EXPIRE', KEYS[1], 3600)
		redis.call('XADD', KEYS[2], '*', 'version', version)
		return version`)
	for want := range int64(2) {
		got, err := change.Exec(t.Context(), client, []string{cart, outbox}, []string{string(rune('0' + want)), "sku", "2"}).AsInt64()
		if err != nil || got != want+1 {
			t.Fatalf("got version %d, %v, want %d", got, err, want+1)
		}
	}
	err := change.Exec(t.Context(), client, []string{cart, outbox}, []string{"0", "sku", "9"}).Error()
	refused, ok := rueidis.IsRedisErr(err)
	if !ok || refused.Error() != "CONFLICT version" {
		t.Errorf("got %v, want the script's own refusal", err)
	}
	if n, err := client.Do(t.Context(), client.B().Xlen().Key(outbox).Build()).AsInt64(); err != nil || n != 2 {
		t.Errorf("%d events, %v, want 2", n, err)
	}
	if ttl, err := client.Do(t.Context(), client.B().Ttl().Key(cart).Build()).AsInt64(); err != nil || ttl <= 0 {
		t.Errorf("the cart lives for %d s, %v", ttl, err)
	}
}

func TestConformsStreamGroupHandsOverWhatWasNotAcknowledged(t *testing.T) {
	t.Parallel()
	client, prefix := shared(t)
	b := client.B
	stream := prefix + ":stream"
	if err := client.Do(t.Context(), b().XgroupCreate().Key(stream).Group("relay").Id("0").Mkstream().Build()).Error(); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1", "2"} {
		if err := client.Do(t.Context(), b().Xadd().Key(stream).Id("*").FieldValue().FieldValue("version", version).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	read, err := client.Do(t.Context(), b().Xreadgroup().Group("relay", "a").Count(10).Streams().Key(stream).Id(">").Build()).AsXRead()
	if err != nil || len(read[stream]) != 2 {
		t.Fatalf("read %v, %v, want two entries", read, err)
	}
	if err := client.Do(t.Context(), b().Xack().Key(stream).Group("relay").Id(read[stream][0].ID).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	claimed, err := client.Do(t.Context(), b().Xautoclaim().Key(stream).Group("relay").Consumer("b").MinIdleTime("0").Start("0").Build()).ToArray()
	if err != nil || len(claimed) < 2 {
		t.Fatalf("claim: %v, %v", claimed, err)
	}
	entries, err := claimed[1].AsXRange()
	if err != nil || len(entries) != 1 || entries[0].ID != read[stream][1].ID {
		t.Errorf("claimed %v, %v, want the second entry", entries, err)
	}
}

func TestConformsClientCacheIsInvalidated(t *testing.T) {
	t.Parallel()
	client, prefix := shared(t)
	address, password := enginetest.Redis(t)
	writer := connect(t, address, password)
	key := prefix + ":price"
	set := func(value string) {
		t.Helper()
		if err := writer.Do(t.Context(), writer.B().Set().Key(key).Value(value).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	get := func() rueidis.RedisResult {
		return client.DoCache(t.Context(), client.B().Get().Key(key).Cache(), time.Hour)
	}
	set("old")
	eventually(t, "the value comes from the client's memory", func() bool { return get().IsCacheHit() })
	set("new")
	eventually(t, "the new value is seen", func() bool { value, err := get().ToString(); return err == nil && value == "new" })
}
