package imports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/detect"
	"github.com/meridian-store/meridian/feed/publish"
	"github.com/meridian-store/meridian/kit/httpx"
)

// work is the loop that brings imports in, one at a time.
func (s *Service) work(ctx context.Context) error {
	ticker := time.NewTicker(s.config.lookEvery)
	defer ticker.Stop()
	for {
		if err := s.workOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "Imports could not be looked for; it will be tried again.", "error", httpx.ErrorChain(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.signal:
		case <-ticker.C:
		}
	}
}

func (s *Service) workOnce(ctx context.Context) error {
	if err := s.store.abandon(ctx, s.region.Name, s.now().Add(-s.config.patience), s.now()); err != nil {
		return err
	}
	if err := s.store.forget(ctx, s.region.Name, s.now().Add(-s.config.memory)); err != nil {
		return err
	}
	for ctx.Err() == nil {
		j, found, err := s.store.claim(ctx, s.region.Name, s.worker, s.now(), s.config.lease)
		if err != nil || !found {
			return err
		}
		if waits, err := s.bringIn(ctx, &j); err != nil || waits {
			return err
		}
	}
	return nil
}

// bringIn works on one import until it ends. waits says that it goes on later, because something that it needs is away.
func (s *Service) bringIn(ctx context.Context, j *job) (waits bool, err error) {
	failed := s.publish(ctx, j)
	switch {
	case errors.Is(failed, errLeaseLost):
		return false, failed
	case failed == nil:
		j.State, j.Failure = stateDone, ""
	case ctx.Err() != nil, !lasting(failed):
		// The lease ends at once when this copy stops in order, so that the next goes on without waiting.
		pause := time.Duration(0)
		if ctx.Err() == nil {
			pause, j.Failure = s.config.pause, "waits, for now: "+failed.Error()
			s.log.WarnContext(ctx, "An import waits; it will be tried again.", "import_id", j.ID, "error", httpx.ErrorChain(failed))
		}
		return true, s.store.save(context.WithoutCancel(ctx), *j, s.worker, s.now(), pause)
	default:
		j.State, j.Failure = stateFailed, failed.Error()
		s.log.WarnContext(ctx, "An import failed.", "import_id", j.ID, "error", httpx.ErrorChain(failed))
	}
	if err := s.store.end(ctx, *j, s.worker, s.now()); err != nil {
		return false, err
	}
	s.outcome.WithLabelValues(j.State).Inc()
	return false, nil
}

// lasting says whether an import that failed so would fail again: the file is wrong, or the shop refuses what it must not.
func lasting(err error) bool {
	var file *feed.FileError
	if errors.As(err, &file) {
		return true
	}
	switch contract.CodeOf(err) {
	case contract.CodeUnavailable, contract.CodeTooMany, contract.CodeInternal:
		return false
	default:
		return true
	}
}

// publish moves the products of an import's file into the shop, from where the last worker came to.
func (s *Service) publish(ctx context.Context, j *job) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	content := &file{ctx: ctx, store: s.store, job: *j}
	hash := sha256.New()
	if _, err := io.Copy(hash, content); err != nil {
		return err
	}
	k := &keeper{service: s, job: j, ctx: ctx, cancel: cancel, done: make(chan struct{})}
	defer k.stop()
	k.start()
	source, format, err := detect.Open(content, detect.Options{Format: j.Format, Options: feed.Options{Currency: j.Currency}})
	if err != nil {
		return err
	}
	publisher := &publish.Publisher{
		Shop: s.shop, Warehouses: []string{j.Warehouse}, Reference: "import:" + hex.EncodeToString(hash.Sum(nil))[:32],
		From: j.Progress, Advanced: k.advanced,
	}
	publisher.Start(ctx)
	defer publisher.Stop()
	if err := publisher.Categories(ctx, source.Categories()); err != nil {
		return err
	}
	for {
		item, err := source.Next()
		k.read(source, format)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = publisher.Add(item)
		}
		if err != nil {
			return errors.Join(k.failed(), err)
		}
	}
	if err := publisher.Flush(); err != nil {
		return errors.Join(k.failed(), err)
	}
	return k.failed()
}

// keeper writes an import's progress now and then, and so keeps its lease. It is the only one to touch the job while it runs.
type keeper struct {
	service *Service
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{}
	stopped sync.WaitGroup

	mu      sync.Mutex
	job     *job
	failure error
}

func (k *keeper) start() {
	k.stopped.Go(func() {
		ticker := time.NewTicker(k.service.config.saveEvery)
		defer ticker.Stop()
		for {
			select {
			case <-k.done:
				return
			case <-ticker.C:
				k.save()
			}
		}
	})
}

// stop ends the writing; the job is the caller's again.
func (k *keeper) stop() {
	close(k.done)
	k.stopped.Wait()
}

func (k *keeper) save() {
	k.mu.Lock()
	j := *k.job
	k.mu.Unlock()
	s := k.service
	err := s.store.save(k.ctx, j, s.worker, s.now(), s.config.lease)
	if errors.Is(err, errLeaseLost) {
		k.mu.Lock()
		k.failure = err
		k.mu.Unlock()
		k.cancel()
	} else if err != nil && k.ctx.Err() == nil {
		s.log.WarnContext(k.ctx, "An import's progress could not be written; it will be tried again.", "import_id", j.ID, "error", httpx.ErrorChain(err))
	}
}

func (k *keeper) advanced(reached publish.Progress) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.job.Progress = reached
	return k.failure
}

func (k *keeper) failed() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.failure
}

// maxListed bounds how many refusals and notes of the file the resource shows.
const maxListed = 200

// read notes what the file held so far. The lists grow only at their ends, so only what is new is written out.
func (k *keeper) read(source feed.Source, format string) {
	report := source.Report()
	k.mu.Lock()
	defer k.mu.Unlock()
	f := &k.job.Findings
	if source.BytesRead() < f.BytesRead {
		return // an earlier worker came further; what it saw stands until then
	}
	f.Format, f.BytesRead, f.Rows, f.Products = format, source.BytesRead(), report.Rows, report.Products
	f.Variants, f.Images, f.Refused = report.Variants, report.Images, report.Refused
	for at := len(f.Refusals); at < min(len(report.Refusals), maxListed); at++ {
		f.Refusals = append(f.Refusals, report.Refusals[at].String())
	}
	for at := len(f.Notes); at < min(len(report.Notes), maxListed); at++ {
		f.Notes = append(f.Notes, report.Notes[at].String())
	}
}
