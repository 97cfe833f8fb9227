package order

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/meridian-store/meridian/replication/outbox"
)

// Why a drive may stop before its saga has ended.
var (
	errStopping = errors.New("the service stops")
	errLost     = errors.New("the lease was lost")
	// errAbandoned wraps what Config.OnBoundary gave: the saga is left as a dead process leaves it.
	errAbandoned = errors.New("abandoned at a boundary")
)

// maxRunning bounds the sagas that one process drives before it takes on others': those of its own shoppers come first.
const maxRunning = 512

// orchestrator drives sagas, each in a goroutine of its own that no request's end can stop.
type orchestrator struct {
	store      *store
	neighbours neighbours
	config     Config
	writer     *outbox.Writer
	now        func() time.Time
	log        *slog.Logger
	metrics    *metrics
	// holder names this process in leases, and region is where it runs.
	holder, region string

	life context.Context
	end  context.CancelCauseFunc

	mu       sync.Mutex
	running  map[string]*drive
	stopping bool
	group    sync.WaitGroup
}

// begin drives a saga that this process holds. log is how much of its log is written already; pending is what is not.
func (o *orchestrator) begin(ctx context.Context, held saga, order placed, written int, pending ...entry) *drive {
	// Only the trace of the request goes along, nothing that ends with it.
	ctx, cancel := context.WithCancelCause(trace.ContextWithSpanContext(o.life, trace.SpanContextFromContext(ctx)))
	d := &drive{
		orchestrator: o, saga: held, order: order, cancel: cancel, overdue: time.Now().Add(held.left),
		done: make(chan struct{}), woken: make(chan struct{}, 1), written: written, unwritten: pending,
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopping {
		// Its lease ends by itself. Nothing is added to the group once it is waited for.
		cancel(errStopping)
		close(d.done)
		return d
	}
	if older, ok := o.running[held.id]; ok {
		older.cancel(errLost)
	}
	o.running[held.id] = d
	o.metrics.running.Set(float64(len(o.running)))
	o.group.Go(func() { d.drive(ctx) })
	return d
}

func (o *orchestrator) leave(d *drive) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.running[d.saga.id] == d {
		delete(o.running, d.saga.id)
	}
	o.metrics.running.Set(float64(len(o.running)))
}

// wake tells the drive of a saga, if it is here, that its payment has changed.
func (o *orchestrator) wake(sagaID string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	d, here := o.running[sagaID]
	if here {
		select {
		case d.woken <- struct{}{}:
		default:
		}
	}
	return here
}

func (o *orchestrator) room() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maxRunning - len(o.running)
}

// run lives as long as the service. At the stop, sagas under way may end within the drain limit; the leases of the others are
// given up, so that another process goes on at once.
func (o *orchestrator) run(ctx context.Context) error {
	<-ctx.Done()
	o.mu.Lock()
	o.stopping = true
	o.mu.Unlock()
	drained := make(chan struct{})
	go func() {
		o.group.Wait()
		close(drained)
	}()
	timer := time.NewTimer(o.config.Drain)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
	o.end(errStopping)
	<-drained
	return nil
}

// resume goes on with a saga that was taken over.
func (o *orchestrator) resume(ctx context.Context, taken saga) {
	o.metrics.takenOver.Inc()
	o.log.InfoContext(ctx, "A saga was taken over.", "saga_id", taken.id, "order_id", taken.orderID, "epoch", taken.epoch, "direction", taken.direction)
	o.begin(ctx, taken, placed{}, 0, entry{step: StepTakeOver, outcome: outcomeTakenOver, at: sqlTime(o.now())})
}

// boundary lets a drill end the saga here.
func (o *orchestrator) boundary(ctx context.Context, held saga, boundary Boundary) error {
	if o.config.OnBoundary == nil {
		return nil
	}
	crossing := Crossing{Boundary: boundary, SagaID: held.id, OrderID: held.orderID, CartID: held.cartID, Epoch: held.epoch, Region: o.region}
	if err := o.config.OnBoundary(ctx, crossing); err != nil {
		return errors.Join(errAbandoned, err)
	}
	return nil
}
