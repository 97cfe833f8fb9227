package journeys_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/order"
)

// V5: publish PaymentSucceeded → the order is in the database within 5 s. Here the process that asked for the charge is killed while
// the provider still thinks, so that nobody but the event, and those who look for abandoned sagas, can finish the order.
func TestV5_AnOrderIsInTheDatabaseWithinFiveSecondsOfItsPayment(t *testing.T) {
	d := openDrills(t)
	d.drillSKU(t, "DRILL-EVENT")
	var group sync.WaitGroup
	for _, l := range lanes() {
		group.Go(func() { d.payWithoutOrchestrator(t, l) })
	}
	group.Wait()
}

func (d *drills) payWithoutOrchestrator(t *testing.T, l lane) {
	t.Helper()
	b := d.buyer(t, l, "DRILL-EVENT", "tok_slow")
	at := d.Hold(b.cartID(), string(order.Before(order.StepCharge)))
	go d.send(t.Context(), b, l.location) // nobody is there to answer it
	held := await(t, at)
	if held == nil {
		return
	}
	held.GoOn()
	kittest.Eventually(t, func() error { return d.paymentIs(t.Context(), l.region, held.SagaID, contract.PaymentStatePending) })
	killPID(t, held.PID)
	kittest.Eventually(t, func() error { return d.paymentIs(t.Context(), l.region, held.SagaID, contract.PaymentStateCaptured) })
	captured := time.Now()
	kittest.Eventually(t, func() error {
		var status string
		err := d.row(t.Context(), contract.ServiceOrder, `SELECT status FROM orders WHERE crdb_region = $1 AND id = $2`, []any{l.region, held.OrderID}, &status)
		if err == nil && status != contract.OrderStatusConfirmed {
			err = fmt.Errorf("the order is %s", status)
		}
		return err
	})
	took := time.Since(captured)
	if took > 5*time.Second {
		t.Errorf("the order was confirmed %s after its payment", took)
	}
	t.Logf("%s: PaymentSucceeded with the orchestrator dead, its order confirmed in the database %d ms later", l.region, took.Milliseconds())
	d.endedOnce(t, b, http.StatusCreated)
}

func (d *drills) paymentIs(ctx context.Context, region, saga, want string) error {
	var state string
	err := d.row(ctx, contract.ServicePayment, `SELECT state FROM payments WHERE crdb_region = $1 AND saga_id = $2`, []any{region, saga}, &state)
	if errors.Is(err, pgx.ErrNoRows) {
		state, err = "not there", nil
	}
	if err == nil && state != want {
		err = fmt.Errorf("the payment is %s, not %s", state, want)
	}
	return err
}

// A forged PaymentSucceeded is a hint that the payment's owner denies: for a saga that waits for its charge, for one whose card will be
// declined, for one whose holder is dead, and for none at all.
func TestAForgedPaymentSucceededConfirmsNothing(t *testing.T) {
	d := openDrills(t)
	d.drillSKU(t, "DRILL-FORGED")
	l := lanes()[1]
	status := map[string]int{"tok_visa": http.StatusCreated, "tok_chargeDeclined": http.StatusPaymentRequired}
	for token, want := range status {
		b := d.buyer(t, l, "DRILL-FORGED", token)
		at := d.Hold(b.cartID(), string(order.Before(order.StepCharge)))
		go d.send(t.Context(), b, l.location)
		held := await(t, at)
		if held == nil {
			return
		}
		d.forge(t, l, contract.PaymentChange{PaymentID: geo.NewID("pay", "euw"), SagaID: held.SagaID, OrderID: held.OrderID, Amount: contract.Money{Amount: 1, Currency: "USD"}})
		d.forge(t, l, contract.PaymentChange{PaymentID: geo.NewID("pay", "euw"), SagaID: geo.NewID("sga", "euw"), OrderID: held.OrderID, Amount: contract.Money{Amount: 1, Currency: "USD"}})
		var orderStatus string
		if err := d.row(t.Context(), contract.ServiceOrder, `SELECT status FROM orders WHERE crdb_region = $1 AND id = $2`, []any{l.region, held.OrderID}, &orderStatus); err != nil || orderStatus != contract.OrderStatusPending {
			t.Errorf("after the forged event the order is %s (%v)", orderStatus, err)
		}
		if err := d.paymentIs(t.Context(), l.region, held.SagaID, "not there"); err != nil {
			t.Error(err)
		}
		held.GoOn()
		d.endedOnce(t, b, want)
	}
	t.Log("forged PaymentSucceeded events for a live saga and for none: nothing was confirmed but what its own payment confirmed")
}

// forge publishes an event as the payment service's relay would, and returns when the order service has handled it.
func (d *drills) forge(t *testing.T, l lane, change contract.PaymentChange) {
	t.Helper()
	data, err := json.Marshal(change)
	if err != nil {
		t.Fatal(err)
	}
	event, err := json.Marshal(contract.Event{
		SpecVersion: "1.0", ID: geo.NewID("evt", "euw"), Source: "/" + l.region + "/payment", Type: contract.PaymentSucceeded, Subject: change.PaymentID,
		Time: time.Now(), OriginRegion: l.region, AggregateVersion: 2, DataContentType: "application/json", Data: data,
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(d.engine(t, l.region, "broker").Address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	sent, err := client.ProduceSync(t.Context(), &kgo.Record{Topic: contract.TopicPayments, Key: []byte(change.PaymentID), Value: event}).First()
	if err != nil {
		t.Fatal(err)
	}
	kittest.Eventually(t, func() error { return handled(t.Context(), client, sent) })
}
