package journeys_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order"
	"github.com/meridian-store/meridian/services/order/breakpoint"
)

// endsWithin is the promise: so long after a process was killed, each saga that it took part in has ended.
const endsWithin = 10 * time.Second

// drillSKU makes a product with plenty of stock in a warehouse of each region.
func (d *drills) drillSKU(t *testing.T, sku string) {
	t.Helper()
	admin := d.token(t, contract.RoleAdmin)
	product := contract.ProductInput{Slug: strings.ToLower(sku), Title: sku, Published: true, Variants: []contract.VariantInput{{SKU: sku, Prices: []contract.Money{{Amount: 2500, Currency: "USD"}}}}}
	d.ask(t, "IAD", http.MethodPost, "/api/v1/admin/products", product, nil, admin).want(t, http.StatusCreated)
	for _, warehouse := range []string{"iad-1", "dub-1", "sin-1"} {
		stock := map[string]any{"warehouse": warehouse, "on_hand": 5000, "reference": "drill"}
		d.ask(t, "IAD", http.MethodPut, "/api/v1/admin/inventory/"+sku, stock, nil, admin).want(t, http.StatusOK)
	}
}

// cut is one saga of the drill: where it is held, what dies meanwhile, and how it must end.
type cut struct {
	buyer
	boundary order.Boundary
	victim   string
	status   int // of the final answer
	took     time.Duration
}

// cuts makes a saga for each boundary. A card that is declined gives the reason to turn, release and fail; nothing was captured then,
// so that a void needs a token that the provider does not know.
func (d *drills) cuts(t *testing.T, l lane, victim string) []*cut {
	t.Helper()
	var all []*cut
	for _, boundary := range order.Boundaries() {
		c := &cut{boundary: boundary, victim: victim, status: http.StatusCreated}
		token := "tok_visa"
		switch step, _, _ := strings.Cut(string(boundary), "."); order.Step(step) {
		case order.StepTurn, order.StepRelease, order.StepFail:
			token, c.status = "tok_chargeDeclined", http.StatusPaymentRequired
		case order.StepVoid:
			token, c.status = "tok_nobodyKnows", http.StatusPaymentRequired
		}
		c.buyer = d.buyer(t, l, "DRILL-KILL", token)
		all = append(all, c)
	}
	return all
}

// TestSagasOutliveTheirProcesses kills the order, payment and inventory processes of each region while a saga waits at each boundary of
// each step, and then lets what lives go on.
func TestSagasOutliveTheirProcesses(t *testing.T) {
	d := openDrills(t)
	d.drillSKU(t, "DRILL-KILL")
	victims := []string{contract.ServiceOrder, contract.ServicePayment, contract.ServiceInventory}
	var mu sync.Mutex
	var done []*cut
	var regionsAtOnce sync.WaitGroup
	for i, l := range lanes() {
		regionsAtOnce.Go(func() {
			for n := range victims {
				cuts := d.cuts(t, l, victims[(i+n)%len(victims)])
				d.cutAll(t, cuts)
				mu.Lock()
				done = append(done, cuts...)
				mu.Unlock()
			}
		})
	}
	regionsAtOnce.Wait()
	if t.Failed() {
		return
	}
	d.printCuts(t, done)
	for _, c := range done {
		d.endedOnce(t, c.buyer, c.status)
	}
	d.auditsClean(t)
}

// auditsClean compares all databases and the provider's ledger.
func (d *drills) auditsClean(t *testing.T) {
	t.Helper()
	if code, report, err := d.audited(t.Context()); err != nil || code != 0 || !report.OK {
		t.Errorf("audit exits with %d (%v): %+v", code, err, report.Violations)
	}
}

// cutAll holds each saga at its boundary, kills the process that all of them need, and lets them go.
func (d *drills) cutAll(t *testing.T, cuts []*cut) {
	t.Helper()
	type crossing struct {
		*cut
		held <-chan *breakpoint.Held
	}
	var waiting []crossing
	answered := make([]chan struct{}, len(cuts))
	firsts := make([]string, len(cuts)) // what each was answered, to be read once answered
	for i, c := range cuts {
		waiting = append(waiting, crossing{c, d.Hold(c.cartID(), string(c.boundary))})
		answered[i] = make(chan struct{})
		go func() {
			defer close(answered[i])
			firsts[i] = d.send(t.Context(), c.buyer, c.location)
		}()
	}
	var held []*breakpoint.Held
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for i, w := range waiting {
		select {
		case h := <-w.held:
			held = append(held, h)
		case <-deadline.C:
			first := "nothing yet"
			select {
			case <-answered[i]:
				first = firsts[i]
			default:
			}
			t.Errorf("no saga came to %s in %s; its checkout got %s", w.boundary, w.region, first)
			return
		}
	}
	back := d.kill(t, cuts[0].region, cuts[0].victim)
	killed := time.Now()
	for _, h := range held {
		h.GoOn()
	}
	d.awaitEnds(t, cuts, answered, killed)
	back()
}

// awaitEnds waits until each saga has ended, as its row tells. A checkout that got an error before its saga was open is sent again,
// as its client would.
func (d *drills) awaitEnds(t *testing.T, cuts []*cut, answered []chan struct{}, killed time.Time) {
	t.Helper()
	ctx := t.Context()
	var group sync.WaitGroup
	for i, c := range cuts {
		group.Go(func() {
			ticker := time.NewTicker(100 * time.Millisecond)
			defer ticker.Stop()
			for time.Since(killed) < 3*endsWithin {
				var state string
				err := d.row(ctx, contract.ServiceOrder, `SELECT state FROM sagas WHERE crdb_region = $1 AND cart_id = $2 AND idempotency_key = $3`,
					[]any{c.region, c.cartID(), c.key}, &state)
				switch {
				case err == nil && state != "running":
					c.took = time.Since(killed)
					return
				case errors.Is(err, pgx.ErrNoRows):
					select {
					case <-answered[i]:
						d.send(ctx, c.buyer, c.location)
					default:
					}
				case err != nil:
					t.Errorf("%s: %v", c.boundary, err)
					return
				}
				<-ticker.C
			}
			t.Errorf("%s in %s, with its %s process killed, has not ended after %s", c.boundary, c.region, c.victim, 3*endsWithin)
		})
	}
	group.Wait()
}

// printCuts shows what became of each cut, and holds the promise about time.
func (d *drills) printCuts(t *testing.T, cuts []*cut) {
	t.Helper()
	slowest := slices.MaxFunc(cuts, func(a, b *cut) int { return int(a.took - b.took) })
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "boundary\torder killed\tpayment killed\tinventory killed")
	for _, boundary := range order.Boundaries() {
		fmt.Fprint(w, boundary)
		for _, victim := range []string{contract.ServiceOrder, contract.ServicePayment, contract.ServiceInventory} {
			var took []string
			status := 0
			for _, c := range cuts {
				if c.boundary == boundary && c.victim == victim {
					took, status = append(took, fmt.Sprint(c.took.Milliseconds())), c.status
				}
			}
			fmt.Fprintf(w, "\t%d after %s ms", status, strings.Join(took, "/"))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d sagas, each held at a boundary while a process of its region was killed; milliseconds until it had ended, in the three regions:\n%s", len(cuts), table.String())
	t.Logf("the slowest: %s, %s of %s killed: %d ms", slowest.boundary, slowest.victim, slowest.region, slowest.took.Milliseconds())
	if slowest.took > endsWithin {
		t.Errorf("%s took longer than %s", slowest.boundary, endsWithin)
	}
}

// endedOnce reads all that is known of a checkout: exactly one of confirmed and charged, or failed, not charged and released.
func (d *drills) endedOnce(t *testing.T, b buyer, status int) (order contract.Order) {
	t.Helper()
	final, err := d.final(t.Context(), b, b.location)
	if err != nil || final.status != status {
		t.Errorf("%s: %d %s (%v), not %d", b.cartID(), final.status, final.body, err, status)
		return order
	}
	again, err := d.final(t.Context(), b, b.location)
	if err != nil || string(again.body) != string(final.body) || again.status != final.status {
		t.Errorf("%s: %s and then %s (%v)", b.cartID(), final.body, again.body, err)
	}
	var saga, state, token, orderStatus string
	var orders int
	err = d.row(t.Context(), contract.ServiceOrder, `SELECT s.id, s.state, s.payment_token, o.status, (SELECT count(*) FROM orders AS n WHERE n.crdb_region = $1 AND n.cart_id = $2)
		FROM sagas AS s JOIN orders AS o ON o.crdb_region = s.crdb_region AND o.id = s.order_id WHERE s.crdb_region = $1 AND s.cart_id = $2 AND s.idempotency_key = $3`,
		[]any{b.region, b.cartID(), b.key}, &saga, &state, &token, &orderStatus, &orders)
	if err != nil {
		t.Errorf("%s: %v", b.cartID(), err)
		return order
	}
	want := "failed"
	if status == http.StatusCreated {
		want = "confirmed"
	}
	if state != want || orderStatus != want || token != "" || orders != 1 {
		t.Errorf("%s: %d orders, the saga %s, the order %s, a token kept: %t; want %s", b.cartID(), orders, state, orderStatus, token != "", want)
	}
	payment, hold := d.moneyAndGoods(t, b.region, saga)
	sold := payment == contract.PaymentStateCaptured && (hold == contract.ReservationHeld || hold == contract.ReservationSold)
	free := payment != contract.PaymentStateCaptured && payment != contract.PaymentStatePending && hold != contract.ReservationHeld && hold != contract.ReservationSold
	if (want == "confirmed" && !sold) || (want == "failed" && !free) {
		t.Errorf("%s is %s, its payment %q and its reservation %q", b.cartID(), want, payment, hold)
	}
	return order
}

// moneyAndGoods reads the states of a saga's payment and reservation, "" where there is none.
func (d *drills) moneyAndGoods(t *testing.T, region, saga string) (payment, hold string) {
	t.Helper()
	for service, read := range map[string]struct {
		sql  string
		into *string
	}{
		contract.ServicePayment:   {`SELECT state FROM payments WHERE crdb_region = $1 AND saga_id = $2`, &payment},
		contract.ServiceInventory: {`SELECT state FROM reservations WHERE crdb_region = $1 AND saga_id = $2`, &hold},
	} {
		if err := d.row(t.Context(), service, read.sql, []any{region, saga}, read.into); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			t.Error(err)
		}
	}
	return payment, hold
}
