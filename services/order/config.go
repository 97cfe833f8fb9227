package order

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/services/order/breakpoint"
)

// Config is the order service's own configuration: most of it the time limits of a checkout.
type Config struct {
	// Budget is how long a shopper waits for the final answer before 202.
	Budget time.Duration `env:"MERIDIAN_ORDER_BUDGET, default=3s"`
	// Lease is how long a saga belongs to a holder who has stopped; it is renewed every Renew.
	Lease time.Duration `env:"MERIDIAN_ORDER_LEASE, default=3s"`
	Renew time.Duration `env:"MERIDIAN_ORDER_RENEW, default=1s"`
	// Sweep is how often sagas whose holder has stopped are looked for.
	Sweep time.Duration `env:"MERIDIAN_ORDER_SWEEP, default=500ms"`
	// Grace is how long another region's saga is left to that region's own sweep, once its lease is over.
	Grace time.Duration `env:"MERIDIAN_ORDER_GRACE, default=1s"`
	// Forward is how long a saga tries to sell. After it, only a charge that already stands is taken further.
	Forward time.Duration `env:"MERIDIAN_ORDER_FORWARD, default=60s"`
	// Hold is how long the stock is kept; it has to outlast Forward.
	Hold time.Duration `env:"MERIDIAN_ORDER_HOLD, default=10m"`
	// Provider is how long the payment provider may take for one charge.
	Provider time.Duration `env:"MERIDIAN_ORDER_PROVIDER, default=15s"`
	// Drain is how long sagas under way may go on when the service stops; others take on what is left.
	Drain time.Duration `env:"MERIDIAN_ORDER_DRAIN, default=5s"`
	// Keep is how long an idempotency key and its answer are remembered.
	Keep time.Duration `env:"MERIDIAN_ORDER_KEEP, default=168h"`

	AfterSale AfterSale

	// CustomerKey, in hexadecimal, is the key of the names by which the uses of a promotion are counted, the same in every region. It
	// is given to the process that runs order and to no other.
	CustomerKey secret.Secret `env:"MERIDIAN_CUSTOMER_KEY"`

	// Breakpoints is the socket of a drill that may hold sagas at their steps' boundaries, see package breakpoint. Without one,
	// which is how a shop runs, there is nothing to it.
	Breakpoints string `env:"MERIDIAN_ORDER_BREAKPOINTS"`
	// OnBoundary is called at each step's boundary, for drills that stop a saga there: an error abandons it exactly as the
	// death of the process would. Nil does nothing.
	OnBoundary func(ctx context.Context, crossing Crossing) error
}

// boundary returns the hook that is called at each step's boundary: OnBoundary, else the drill's, else nil.
func (s Config) boundary() func(context.Context, Crossing) error {
	if s.OnBoundary != nil || s.Breakpoints == "" {
		return s.OnBoundary
	}
	return func(ctx context.Context, at Crossing) error {
		// Nobody listening means that the drill is over.
		_ = breakpoint.Wait(ctx, s.Breakpoints, breakpoint.Crossing{
			Boundary: string(at.Boundary), SagaID: at.SagaID, OrderID: at.OrderID, CartID: at.CartID, Epoch: at.Epoch, Region: at.Region, PID: os.Getpid(),
		})
		return nil
	}
}

// Validate refuses limits that contradict one another.
func (s Config) Validate() error {
	switch {
	case s.Budget <= 0 || s.Sweep <= 0 || s.Provider <= 0 || s.Drain < 0 || s.Grace < 0 || s.Keep <= 0:
		return fmt.Errorf("MERIDIAN_ORDER_BUDGET, _SWEEP, _PROVIDER and _KEEP have to be above 0")
	case s.Renew <= 0 || s.Lease < 2*s.Renew:
		return fmt.Errorf("MERIDIAN_ORDER_LEASE (%s) has to be at least twice MERIDIAN_ORDER_RENEW (%s)", s.Lease, s.Renew)
	case s.Hold < s.Forward+s.Provider:
		return fmt.Errorf("MERIDIAN_ORDER_HOLD (%s) has to outlast MERIDIAN_ORDER_FORWARD and _PROVIDER (%s)", s.Hold, s.Forward+s.Provider)
	}
	if _, err := readCustomerKey(s.CustomerKey); err != nil {
		return err
	}
	return s.AfterSale.Validate()
}
