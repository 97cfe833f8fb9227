package breakpoint_test

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meridian-store/meridian/services/order/breakpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) (*breakpoint.Drill, string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	drill, err := breakpoint.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(drill.Close(), drill.Close()); err != nil {
			t.Error(err)
		}
	})
	return drill, socket
}

func TestASagaWaitsWhereItIsHeld(t *testing.T) {
	t.Parallel()
	drill, socket := open(t)
	held := drill.Hold("crt_1", "charge.before")
	for _, other := range []breakpoint.Crossing{{CartID: "crt_1", Boundary: "charge.after"}, {CartID: "crt_2", Boundary: "charge.before"}} {
		if err := breakpoint.Wait(t.Context(), socket, other); err != nil {
			t.Fatal(err)
		}
	}
	crossing := breakpoint.Crossing{CartID: "crt_1", Boundary: "charge.before", SagaID: "sga", OrderID: "ord", Epoch: 2, Region: "us-east", PID: 7}
	gone := make(chan error, 1)
	go func() { gone <- breakpoint.Wait(t.Context(), socket, crossing) }()
	at := <-held
	if at.Crossing != crossing {
		t.Errorf("%+v is held, not %+v", at.Crossing, crossing)
	}
	select {
	case err := <-gone:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	at.GoOn()
	if err := <-gone; err != nil {
		t.Error(err)
	}
	at.GoOn() // its process may be dead
	if err := breakpoint.Wait(t.Context(), socket, crossing); err != nil {
		t.Errorf("a breakpoint holds once: %v", err)
	}
}

func TestNobodyIsHeldByADrillThatHasEnded(t *testing.T) {
	t.Parallel()
	drill, socket := open(t)
	held := drill.Hold("crt", "open.after")
	gone := make(chan error, 1)
	go func() {
		gone <- breakpoint.Wait(t.Context(), socket, breakpoint.Crossing{CartID: "crt", Boundary: "open.after"})
	}()
	<-held
	if err := drill.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-gone; err != nil {
		t.Error(err)
	}
	if err := breakpoint.Wait(t.Context(), socket, breakpoint.Crossing{}); !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens and it says %v", err)
	}
}

func TestAHolderThatIsToldToStopDoesNotWait(t *testing.T) {
	t.Parallel()
	drill, socket := open(t)
	held := drill.Hold("crt", "open.after")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	gone := make(chan error, 1)
	go func() {
		gone <- breakpoint.Wait(ctx, socket, breakpoint.Crossing{CartID: "crt", Boundary: "open.after"})
	}()
	<-held
	cancel()
	if err := <-gone; err != nil {
		t.Error(err)
	}
}
