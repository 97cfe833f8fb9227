// Package storetest is what every store of the archive has to do.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/services/order/archive"
)

// Run holds a store to the port. Each call of open gives an empty store; reopen gives the same objects to another instance, as after a
// restart.
func Run(t *testing.T, open func(t *testing.T) (store archive.Store, reopen func() archive.Store)) {
	t.Run("an object is read in ranges", func(t *testing.T) {
		store, reopen := open(t)
		put(t, store, "us-east/2026-01/a.zst", "0123456789")
		for _, instance := range []archive.Store{store, reopen()} {
			for _, test := range []struct {
				offset, length int64
				want           string
			}{{0, 10, "0123456789"}, {0, 1, "0"}, {4, 3, "456"}, {9, 1, "9"}, {10, 0, ""}} {
				got, err := instance.Get(t.Context(), "us-east/2026-01/a.zst", test.offset, test.length)
				if err != nil || string(got) != test.want {
					t.Errorf("%d bytes at %d are %q (%v), want %q", test.length, test.offset, got, err, test.want)
				}
			}
		}
	})
	t.Run("a range beyond the end is an error", func(t *testing.T) {
		store, _ := open(t)
		put(t, store, "a", "0123")
		for _, at := range [][2]int64{{0, 5}, {4, 1}, {100, 1}, {0, 1 << 50}, {-1, 2}, {0, -1}} {
			if got, err := store.Get(t.Context(), "a", at[0], at[1]); err == nil || errors.Is(err, archive.ErrNotFound) {
				t.Errorf("%d bytes at %d are %q (%v)", at[1], at[0], got, err)
			}
		}
	})
	t.Run("what is not there is not found", func(t *testing.T) {
		store, _ := open(t)
		put(t, store, "a/b", "x")
		for _, name := range []string{"a/c", "b", "c/d/e"} {
			if _, err := store.Get(t.Context(), name, 0, 1); !errors.Is(err, archive.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("a later object replaces an earlier one", func(t *testing.T) {
		store, _ := open(t)
		put(t, store, "a", "earlier and longer")
		put(t, store, "a", "later")
		if got, err := store.Get(t.Context(), "a", 0, 5); err != nil || string(got) != "later" {
			t.Errorf("%q (%v)", got, err)
		}
		if listed := list(t, store, ""); len(listed) != 1 || listed[0].Size != 5 {
			t.Errorf("%+v", listed)
		}
	})
	t.Run("objects are listed by prefix and in order", func(t *testing.T) {
		store, reopen := open(t)
		if listed := list(t, store, ""); len(listed) != 0 {
			t.Errorf("an empty store has %+v", listed)
		}
		for _, name := range []string{"eu/2", "us/2026-02/b", "us/2026-01/z", "us/2026-02/a", "us/2026-01-x"} {
			put(t, store, name, name)
		}
		for prefix, want := range map[string][]string{
			"":            {"eu/2", "us/2026-01-x", "us/2026-01/z", "us/2026-02/a", "us/2026-02/b"},
			"us/2026-02/": {"us/2026-02/a", "us/2026-02/b"}, "us/2026-01": {"us/2026-01-x", "us/2026-01/z"}, "xx": {},
		} {
			var got []string
			for _, object := range list(t, reopen(), prefix) {
				got = append(got, object.Name)
				if object.Size != int64(len(object.Name)) || object.Written.IsZero() {
					t.Errorf("%+v", object)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q lists %v, want %v", prefix, got, want)
			}
		}
	})
	t.Run("deleting twice is fine", func(t *testing.T) {
		store, _ := open(t)
		put(t, store, "a/b", "x")
		for range 2 {
			if err := store.Delete(t.Context(), "a/b"); err != nil {
				t.Error(err)
			}
		}
		if _, err := store.Get(t.Context(), "a/b", 0, 1); !errors.Is(err, archive.ErrNotFound) {
			t.Error(err)
		}
		if listed := list(t, store, ""); len(listed) != 0 {
			t.Errorf("left %+v", listed)
		}
	})
	t.Run("names that lead elsewhere are refused", func(t *testing.T) {
		store, _ := open(t)
		for _, name := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../../b", "a/.hidden", "a b", "a\\b", "a\x00b"} {
			if err := store.Put(t.Context(), name, []byte("x")); err == nil {
				t.Errorf("%q was taken", name)
			}
			if _, err := store.Get(t.Context(), name, 0, 1); err == nil || errors.Is(err, archive.ErrNotFound) {
				t.Errorf("%q was read: %v", name, err)
			}
			if err := store.Delete(t.Context(), name); err == nil {
				t.Errorf("%q was deleted", name)
			}
		}
	})
	t.Run("nobody reads half an object", func(t *testing.T) { readsAreWhole(t, open) })
}

// readsAreWhole replaces an object again and again while others read it.
func readsAreWhole(t *testing.T, open func(t *testing.T) (archive.Store, func() archive.Store)) {
	store, _ := open(t)
	const size, rounds = 64 << 10, 20
	put(t, store, "a", string(bytes.Repeat([]byte{'0'}, size)))
	var writing sync.WaitGroup
	failures := make(chan error, 2*rounds)
	for writer := range 2 {
		writing.Go(func() {
			for i := range rounds {
				if err := store.Put(t.Context(), "a", bytes.Repeat([]byte{byte('a' + writer + i%13)}, size)); err != nil {
					failures <- err
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		got, err := store.Get(t.Context(), "a", 0, size)
		if err != nil || bytes.Count(got, got[:1]) != size {
			t.Fatalf("read a mixture of objects (%v)", err)
		}
	}
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	if listed := list(t, store, ""); len(listed) != 1 {
		t.Errorf("left %+v", listed)
	}
}

func put(t *testing.T, store archive.Store, name, content string) {
	t.Helper()
	if err := store.Put(t.Context(), name, []byte(content)); err != nil {
		t.Fatal(fmt.Errorf("put %s: %w", name, err))
	}
}

func list(t *testing.T, store archive.Store, prefix string) []archive.Object {
	t.Helper()
	listed, err := store.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	return listed
}
