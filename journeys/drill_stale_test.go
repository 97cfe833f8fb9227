package journeys_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/order"
	"github.com/meridian-store/meridian/services/order/breakpoint"
)

// TestAFrozenHolderChangesNothing stops the order process of a region, which then can neither work nor die, while sagas wait in it at
// several steps. Other regions end them. Continued, it goes on exactly where each stood, and changes nothing.
func TestAFrozenHolderChangesNothing(t *testing.T) {
	d := openDrills(t)
	d.drillSKU(t, "DRILL-FREEZE")
	home := lanes()[0]
	var cuts []*cut
	for boundary, token := range map[order.Boundary]string{
		order.Before(order.StepReserve): "tok_visa", order.Before(order.StepCharge): "tok_visa", order.Before(order.StepConfirm): "tok_visa",
		order.Before(order.StepTurn): "tok_chargeDeclined", order.Before(order.StepRelease): "tok_chargeDeclined", order.Before(order.StepFail): "tok_chargeDeclined",
	} {
		c := &cut{boundary: boundary, victim: contract.ServiceOrder, status: http.StatusCreated, buyer: d.buyer(t, home, "DRILL-FREEZE", token)}
		if token != "tok_visa" {
			c.status = http.StatusPaymentRequired
		}
		cuts = append(cuts, c)
	}
	var held []*breakpoint.Held
	answered := make([]chan struct{}, len(cuts))
	for i, c := range cuts {
		waiting := d.Hold(c.cartID(), string(c.boundary))
		answered[i] = make(chan struct{})
		go func() {
			defer close(answered[i])
			d.send(t.Context(), c.buyer, home.location)
		}()
		h := await(t, waiting)
		if h == nil {
			return
		}
		held = append(held, h)
	}
	frozen := held[0].PID
	if err := syscall.Kill(frozen, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw := func() error { return syscall.Kill(frozen, syscall.SIGCONT) }
	defer func() {
		if err := thaw(); err != nil { // for a test that fails below: nobody else would wake it
			t.Error(err)
		}
	}()
	stopped := time.Now()
	d.awaitEnds(t, cuts, answered, stopped)
	if t.Failed() {
		return
	}
	before := make([]string, len(cuts))
	for i, c := range cuts {
		before[i] = d.snapshot(t, c.buyer)
		if c.took > endsWithin || !strings.Contains(before[i], "taken_over") || strings.Contains(before[i], "holder "+home.region+"/") {
			t.Errorf("held at %s, it ended after %s as %s", c.boundary, c.took, before[i])
		}
		t.Logf("held at %s in a process that is stopped: ended by another region after %d ms", c.boundary, c.took.Milliseconds())
	}
	fencedBefore := d.fenced(t, frozen)
	for _, h := range held {
		h.GoOn() // it waits in the socket until the process can read it
	}
	if err := thaw(); err != nil {
		t.Fatal(err)
	}
	kittest.Eventually(t, func() error {
		if n := d.fenced(t, frozen) - fencedBefore; n < len(cuts) {
			return fmt.Errorf("%d of %d sagas are known to be another's", n, len(cuts))
		}
		return nil
	})
	for i, c := range cuts {
		if after := d.snapshot(t, c.buyer); after != before[i] {
			t.Errorf("held at %s, it was\n%s\nand is\n%s", c.boundary, before[i], after)
		}
		d.endedOnce(t, c.buyer, c.status)
	}
	d.auditsClean(t)
}

// snapshot is all that is known of a saga, in one line.
func (d *drills) snapshot(t *testing.T, b buyer) string {
	t.Helper()
	var saga, line string
	err := d.row(t.Context(), contract.ServiceOrder, `
		SELECT s.id, concat_ws(' ', s.state, s.direction, 'epoch', s.epoch, 'holder', s.lease_holder, 'order', o.status, o.reason, o.version, o.updated_at, md5(o.answer_body),
			'steps', array_to_string(ARRAY(SELECT h.epoch || ':' || h.seq || ':' || h.outcome || '@' || h.at FROM saga_steps AS h
				WHERE h.crdb_region = s.crdb_region AND h.saga_id = s.id ORDER BY h.epoch, h.seq), ','))
		FROM sagas AS s JOIN orders AS o ON o.crdb_region = s.crdb_region AND o.id = s.order_id
		WHERE s.crdb_region = $1 AND s.cart_id = $2 AND s.idempotency_key = $3`, []any{b.region, b.cartID(), b.key}, &saga, &line)
	if err != nil {
		t.Fatal(err)
	}
	payment, hold := d.moneyAndGoods(t, b.region, saga)
	if hold == contract.ReservationSold {
		hold = contract.ReservationHeld // the order's event may make it so at any time
	}
	return fmt.Sprintf("%s payment %s reservation %s", line, payment, hold)
}

// fenced asks a process how many sagas it has lost to another holder; -1 while it does not answer.
func (d *drills) fenced(t *testing.T, pid int) int {
	t.Helper()
	status, err := d.now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, region := range status.Regions {
		for _, service := range region.Services {
			if service.PID == pid {
				n, err := counter(t.Context(), service.URL, "meridian_order_sagas_fenced_total")
				if errors.Is(err, errNoAnswer) {
					return 0 // it is stopped: nothing has been counted since it was started
				}
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
	}
	t.Fatalf("process %d is not of this copy any more", pid)
	return 0
}
