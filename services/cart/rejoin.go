package cart

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/retry"
)

const (
	// silentAfter is how long a region that cannot be reached at all is waited for: it may be lost too.
	silentAfter = 3 * time.Second
	rejoinPoll  = 100 * time.Millisecond
)

// rejoin takes in, once after the start, what other regions said of carts while this one was away. Until it has, the carts that are
// homed here may be older than what their shoppers saw elsewhere, and the gateway keeps the region from being called healthy.
type rejoin struct {
	// mirrors asks how far the events of the other regions are copied.
	mirrors func(ctx context.Context) ([]contract.MirrorProgress, error)
	// catchUp applies what has been copied.
	catchUp func(ctx context.Context) error
	within  time.Duration
	log     *slog.Logger
	done    atomic.Bool
}

func newRejoin(base *kit.Base, within time.Duration, catchUp func(context.Context) error) *rejoin {
	return &rejoin{within: within, catchUp: catchUp, log: base.Log, mirrors: func(ctx context.Context) ([]contract.MirrorProgress, error) {
		var list struct{ Items []contract.MirrorProgress }
		err := base.Client.Do(ctx, httpx.Call{Service: contract.ServiceMirror, Method: http.MethodGet, Path: contract.PathMirrors, Out: &list, Timeout: time.Second})
		return list.Items, err
	}}
}

// run rejoins and then waits for the context's end.
func (r *rejoin) run(ctx context.Context) error {
	if !r.done.Load() {
		r.once(ctx)
	}
	<-ctx.Done()
	return nil
}

// once returns when all is taken in, or when it has taken too long: then carts are merged as the events come, as they always are.
func (r *rejoin) once(ctx context.Context) {
	begun := time.Now()
	within, cancel := context.WithTimeout(ctx, r.within)
	defer cancel()
	err := r.awaitMirrors(within, begun)
	for err == nil && within.Err() == nil {
		if err = r.catchUp(within); err == nil {
			break
		}
		r.log.WarnContext(ctx, "What other regions said of carts could not be read; it will be tried again.", "error", err.Error())
		err = retry.Pause(within, rejoinPoll)
	}
	if ctx.Err() != nil {
		return
	}
	took := time.Since(begun).Seconds()
	if err == nil {
		r.log.InfoContext(ctx, "Carts are as recent as the other regions'.", "took_s", took)
	} else {
		r.log.WarnContext(ctx, "Carts may be older than what other regions made of them, and are merged as their events come.", "took_s", took, "error", err.Error())
	}
	r.done.Store(true)
}

// awaitMirrors returns when everything is copied that the other regions had said by now. One that does not answer is not waited for long.
func (r *rejoin) awaitMirrors(ctx context.Context, begun time.Time) error {
	for {
		items, err := r.mirrors(ctx)
		if err == nil {
			var late []string
			for _, each := range items {
				if silent := !each.Reached && time.Since(begun) >= silentAfter; !each.CaughtUp && !silent {
					late = append(late, each.Source)
				}
			}
			if len(late) == 0 {
				return nil
			}
			err = fmt.Errorf("not all is copied from %s", strings.Join(late, ", "))
		}
		if wait := retry.Pause(ctx, rejoinPoll); wait != nil {
			return errors.Join(wait, err)
		}
	}
}

func (r *rejoin) test(context.Context, *struct{}) (*struct{}, error) {
	if !r.done.Load() {
		return nil, contract.Errorf(contract.CodeUnavailable, "what other regions said of carts is still being taken in")
	}
	return nil, nil //nolint:nilnil // 204: there is nothing to say
}
