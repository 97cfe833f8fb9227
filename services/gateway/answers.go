package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/tagcache"
)

const (
	// answersBytes bounds what a gateway keeps of catalog answers.
	answersBytes = 64 << 20
	// keptAtMost bounds how long, whatever the answer allows: what is read seldom costs the catalog little.
	keptAtMost = time.Minute
)

// answer is what a service said to a request of a route that is cached. It depends on its URL alone.
type answer struct {
	status  int
	headers [][2]string
	etag    string
	tags    []string
	body    []byte
	made    time.Time
	keep    time.Duration
	// asked is the moment, in the order of purges, at which it was asked for.
	asked uint64
}

func (a *answer) Tags() []string      { return a.tags }
func (a *answer) Keep() time.Duration { return a.keep }

func (a *answer) Weight() int {
	size := len(a.body) + len(a.etag)
	for _, header := range a.headers {
		size += len(header[0]) + len(header[1])
	}
	return size
}

// answers keeps what services said until an event makes it untrue. While the region's events can not be followed nothing is served from
// it: every request asks the service.
type answers struct {
	kept  *tagcache.Cache[*answer]
	fills singleflight.Group
	// believed is up to when what is kept holds, counted from when the gateway began. It is of the machine's own clock, which goes on
	// while a process is stopped: one that wakes up does not show what it slept over.
	begun    time.Time
	believed atomic.Int64
	now      func() time.Time
	results  *prometheus.CounterVec
}

func newAnswers(now func() time.Time, results *prometheus.CounterVec) (*answers, error) {
	kept, err := tagcache.New[*answer](answersBytes)
	if err != nil {
		return nil, err
	}
	return &answers{kept: kept, begun: time.Now(), now: now, results: results}, nil
}

// heard drops what an event makes untrue.
func (a *answers) heard(event contract.Event) {
	tags, err := contract.StaleTags(event)
	if err != nil {
		// What it changed can not be told.
		a.kept.PurgeEverything()
		return
	}
	if len(tags) > 0 {
		a.kept.PurgeTags(tags...)
	}
}

// begin drops all: from here on events are followed, and before some may have been missed.
func (a *answers) begin() { a.kept.PurgeEverything() }

// believe notes up to when nothing that came is missing.
func (a *answers) believe(until time.Time) { a.believed.Store(int64(until.Sub(a.begun))) }

func (a *answers) live() bool { return int64(time.Since(a.begun)) < a.believed.Load() }

// errNotShared says that an answer is for the one who asked alone.
var errNotShared = errors.New("the answer may not be shared")

// serve answers from what is kept, else has ask fill the response, once for all who want the same.
func (a *answers) serve(c *fiber.Ctx, ask func(*fiber.Ctx) error) error {
	if !a.live() {
		a.results.WithLabelValues("off").Inc()
		return ask(c)
	}
	key := string(c.Request().URI().PathOriginal()) + "?" + string(c.Request().URI().QueryString())
	if kept, found := a.kept.Get(key); found && a.now().Before(kept.made.Add(kept.keep)) {
		a.results.WithLabelValues("hit").Inc()
		return kept.send(c, a.now())
	}
	a.results.WithLabelValues("miss").Inc()
	first := false
	shared, err, _ := a.fills.Do(key, func() (any, error) {
		first = true
		return a.fill(c, key, ask)
	})
	switch {
	case first && errors.Is(err, errNotShared):
		return nil // it stands in this request's response
	case first && err != nil:
		return err
	case err != nil:
		return ask(c)
	}
	// An answer that was under way when something purged it is not for those who came after the purge.
	if got := shared.(*answer); first || !a.kept.PurgedSince(got.asked, key, got) {
		return got.send(c, a.now())
	}
	return ask(c)
}

// fill asks without the caller's condition, so that the answer is whole, and keeps it when it may be kept.
func (a *answers) fill(c *fiber.Ctx, key string, ask func(*fiber.Ctx) error) (*answer, error) {
	asked, made := a.kept.Moment(), a.now()
	condition := c.Get(fiber.HeaderIfNoneMatch)
	c.Request().Header.Del(fiber.HeaderIfNoneMatch)
	err := ask(c)
	if condition != "" {
		c.Request().Header.Set(fiber.HeaderIfNoneMatch, condition)
	}
	if err != nil {
		return nil, err
	}
	got := newAnswer(c, made)
	if got == nil {
		return nil, errNotShared
	}
	got.asked = asked
	a.kept.Put(key, got, asked)
	return got, nil
}

// newAnswer takes a copy of a response; nil for one that may not be kept.
func newAnswer(c *fiber.Ctx, made time.Time) *answer {
	response := c.Response()
	header := &response.Header
	keep := lifetimeOf(string(header.Peek("Cdn-Cache-Control")))
	status := response.StatusCode()
	if keep <= 0 || (status != http.StatusOK && status != http.StatusNotFound) || len(header.Peek(fiber.HeaderSetCookie)) > 0 {
		return nil
	}
	got := &answer{status: status, made: made, keep: min(keep, keptAtMost), body: slices.Clone(response.Body()), etag: string(header.Peek(fiber.HeaderETag))}
	for name, value := range header.All() {
		switch name := string(name); name {
		case headerTrace, contract.HeaderRegion, fiber.HeaderContentLength, fiber.HeaderDate, fiber.HeaderAge:
		case "Cache-Tag":
			got.tags = append(got.tags, strings.Split(strings.ToLower(string(value)), ",")...)
			got.headers = append(got.headers, [2]string{name, string(value)})
		default:
			got.headers = append(got.headers, [2]string{name, string(value)})
		}
	}
	return got
}

// lifetimeOf reads max-age of a service's CDN-Cache-Control; zero when it may not be kept.
func lifetimeOf(header string) time.Duration {
	for directive := range strings.SplitSeq(header, ",") {
		if age, found := strings.CutPrefix(strings.TrimSpace(directive), "max-age="); found {
			if seconds, err := strconv.ParseUint(age, 10, 31); err == nil {
				return time.Duration(seconds) * time.Second
			}
		}
	}
	return 0
}

// send answers from a copy. Its age goes with it, so that nobody counts its lifetime anew.
func (a *answer) send(c *fiber.Ctx, now time.Time) error {
	header := &c.Response().Header
	trace, region := c.GetRespHeader(headerTrace), c.GetRespHeader(contract.HeaderRegion)
	c.Response().Reset()
	for _, pair := range a.headers {
		header.Add(pair[0], pair[1])
	}
	c.Set(headerTrace, trace)
	if region != "" {
		c.Set(contract.HeaderRegion, region)
	}
	c.Set(fiber.HeaderAge, strconv.Itoa(int(max(now.Sub(a.made), 0)/time.Second)))
	if given := c.Get(fiber.HeaderIfNoneMatch); a.status == http.StatusOK && given != "" && httpx.Matches(given, a.etag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	c.Status(a.status)
	return c.Send(a.body)
}

// close lets go of what is kept when the gateway stops.
func (a *answers) close(ctx context.Context) error {
	<-ctx.Done()
	a.kept.Close()
	return nil
}
