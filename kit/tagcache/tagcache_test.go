package tagcache_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/kit/tagcache"
)

type page struct {
	tags    []string
	version int64
}

func (p *page) Tags() []string    { return p.tags }
func (*page) Weight() int         { return 100 }
func (*page) Keep() time.Duration { return time.Hour }

func open(t interface {
	Fatal(...any)
	Cleanup(func())
}, bytes int64) *tagcache.Cache[*page] {
	c, err := tagcache.New[*page](bytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Against a model: a map of what is there, and for each fill under way whether a purge named it since it began.
func TestNothingPurgedIsThereOrComesInLater(t *testing.T) {
	t.Parallel()
	tags := []string{"a", "b", "c"}
	keys := []string{"k1", "k2", "k3", "k4"}
	c := open(t, 1<<24)
	rapid.Check(t, func(t *rapid.T) {
		c.PurgeEverything()
		there := map[string]*page{}
		type fill struct {
			key   string
			page  *page
			asked uint64
			old   bool
		}
		var fills []*fill
		drop := func(match func(string, *page) bool) {
			for key, p := range there {
				if match(key, p) {
					delete(there, key)
				}
			}
			for _, f := range fills {
				f.old = f.old || match(f.key, f.page)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) {
				tagged := rapid.SliceOfNDistinct(rapid.SampledFrom(tags), 0, 3, rapid.ID[string]).Draw(t, "tags")
				fills = append(fills, &fill{key: rapid.SampledFrom(keys).Draw(t, "key"), page: &page{tags: tagged}, asked: c.Moment()})
			},
			"put": func(t *rapid.T) {
				if len(fills) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(fills)-1).Draw(t, "which")
				f := fills[i]
				fills = append(fills[:i], fills[i+1:]...)
				if c.PurgedSince(f.asked, f.key, f.page) != f.old || c.Put(f.key, f.page, f.asked) == f.old {
					t.Fatalf("%+v: was it purged meanwhile? %v", f, f.old)
				}
				if !f.old {
					there[f.key] = f.page
				}
			},
			"purge a tag": func(t *rapid.T) {
				tag := rapid.SampledFrom(tags).Draw(t, "tag")
				c.PurgeTags(map[bool]string{true: tag, false: string(tag[0] - 32)}[rapid.Bool().Draw(t, "as it is")])
				drop(func(_ string, p *page) bool {
					for _, own := range p.tags {
						if own == tag {
							return true
						}
					}
					return false
				})
			},
			"purge a key": func(t *rapid.T) {
				key := rapid.SampledFrom(keys).Draw(t, "key")
				c.PurgeKeys(key)
				drop(func(k string, _ *page) bool { return k == key })
			},
			"purge all": func(*rapid.T) {
				c.PurgeEverything()
				drop(func(string, *page) bool { return true })
			},
			"": func(t *rapid.T) {
				for _, key := range keys {
					if got, found := c.Get(key); found != (there[key] != nil) || found && got != there[key] {
						t.Fatalf("%s holds %v, want %v", key, got, there[key])
					}
				}
			},
		})
	})
}

// So many purges that not all are remembered: what was asked for before is taken for old.
func TestWhatIsForgottenCountsAsPurged(t *testing.T) {
	t.Parallel()
	c := open(t, 1<<20)
	early := c.Moment()
	for i := range 1<<16 + 10 {
		c.PurgeKeys(fmt.Sprint(i))
	}
	if c.Put("k", &page{tags: []string{"untouched"}}, early) {
		t.Error("a fill that is older than the memory of purges was kept")
	}
	if !c.Put("k", &page{}, c.Moment()) {
		t.Error("a new fill was not kept")
	}
}

func TestTheIndexShrinksWithTheCache(t *testing.T) {
	t.Parallel()
	c := open(t, 64<<10)
	for i := range 10_000 {
		c.Put(fmt.Sprint(i), &page{tags: []string{"all", fmt.Sprint("own", i)}}, c.Moment())
	}
	deadline := time.Now().Add(30 * time.Second)
	for c.PurgeTags("nothing"); c.Bytes() > 64<<10; c.PurgeTags("nothing") {
		if time.Now().After(deadline) {
			t.Fatalf("%v bytes are held in 64 KB", c.Bytes())
		}
	}
	kept := c.Len()
	if purged := c.PurgeTags("all"); purged > kept+100 {
		t.Errorf("the index knows %d entries, the cache %d", purged, kept)
	}
}

// Readers, fillers and a purger at once: whoever looks after a purge has returned sees nothing from before.
func TestConcurrentFillsAndPurges(t *testing.T) {
	t.Parallel()
	c := open(t, 1<<20)
	var truth, announced atomic.Int64
	var done atomic.Bool
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for !done.Load() {
				least := announced.Load()
				if got, found := c.Get("k"); found && got.version < least {
					t.Errorf("version %d is shown after %d was announced", got.version, least)
					return
				}
				asked := c.Moment()
				c.Put("k", &page{tags: []string{"t"}, version: truth.Load()}, asked)
			}
		})
	}
	for range 2000 {
		now := truth.Add(1)
		c.PurgeTags("t")
		announced.Store(now)
	}
	done.Store(true)
	all.Wait()
}

// An entry that grows while all is purged, or all that matches, does not come back by that.
func TestWhatIsWeighedAnewStaysPurged(t *testing.T) {
	t.Parallel()
	c := open(t, 1<<20)
	purges := []func(){
		func() { c.PurgeEverything() },
		func() { c.PurgeMatching(func(string) bool { return true }) },
		func() { c.PurgeTags("t") },
		func() { c.PurgeKeys("k") },
	}
	for round := range 1000 {
		p := &page{tags: []string{"t"}}
		c.Put("k", p, c.Moment())
		var purged atomic.Bool
		var growing sync.WaitGroup
		started := make(chan struct{})
		growing.Go(func() {
			close(started)
			for !purged.Load() {
				c.Reweigh("k", p)
			}
		})
		<-started
		purges[round%len(purges)]()
		purged.Store(true)
		growing.Wait()
		if _, found := c.Get("k"); found {
			t.Fatalf("round %d: it is there after the purge", round)
		}
	}
}
