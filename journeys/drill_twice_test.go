package journeys_test

import (
	"errors"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/order"
	"github.com/meridian-store/meridian/services/order/breakpoint"
)

// TestASagaOutlivesTwoKills kills the process that drives a saga, and then the one that has taken it over.
func TestASagaOutlivesTwoKills(t *testing.T) {
	d := openDrills(t)
	d.drillSKU(t, "DRILL-TWICE")
	type twice struct {
		first, second order.Boundary
		token         string
		status        int
	}
	kinds := []twice{
		{order.After(order.StepReserve), order.Before(order.StepCharge), "tok_visa", http.StatusCreated},
		{order.After(order.StepCharge), order.Before(order.StepConfirm), "tok_visa", http.StatusCreated},
		{order.After(order.StepTurn), order.Before(order.StepRelease), "tok_chargeDeclined", http.StatusPaymentRequired},
	}
	var group sync.WaitGroup
	for i, kind := range kinds {
		l := lanes()[i]
		group.Go(func() {
			b := d.buyer(t, l, "DRILL-TWICE", kind.token)
			first := d.Hold(b.cartID(), string(kind.first))
			go d.send(t.Context(), b, b.location)
			at := await(t, first)
			if at == nil {
				return
			}
			second := d.Hold(b.cartID(), string(kind.second))
			killPID(t, at.PID)
			at.GoOn()
			if at = await(t, second); at == nil {
				return
			}
			taker := at.Region
			killPID(t, at.PID)
			killed := time.Now()
			at.GoOn()
			final, err := d.final(t.Context(), b, b.location)
			if err != nil || final.status != kind.status {
				t.Errorf("%s: %d %s (%v)", kind.first, final.status, final.body, err)
			}
			t.Logf("killed at %s in %s and at %s in %s (epoch %d): %d, %d ms after the second kill", kind.first, l.region, kind.second, taker, at.Epoch, final.status, time.Since(killed).Milliseconds())
			d.endedOnce(t, b, kind.status)
		})
	}
	group.Wait()
	kittest.Eventually(t, func() error {
		status, err := d.now(t.Context())
		if err == nil && !status.Ready {
			err = errors.New("not all processes are back")
		}
		return err
	})
	d.auditsClean(t)
}

func await(t *testing.T, held <-chan *breakpoint.Held) *breakpoint.Held {
	t.Helper()
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	select {
	case h := <-held:
		return h
	case <-timer.C:
		t.Error("no saga came to its breakpoint")
		return nil
	}
}

func killPID(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("kill %d: %v", pid, err)
	}
}
