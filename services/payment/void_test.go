package payment

import (
	"net/http"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/sandbox"
	"github.com/meridian-store/meridian/services/payment/provider"
)

func TestAVoidGivesBackWhatWasCaptured(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	request := requestFor(sandbox.TokenVisa)
	charged, _ := shop.charge(t, request)
	for range 2 {
		voided, status := shop.void(t, request.SagaID, "")
		wantState(t, voided, status, contract.PaymentStateVoided, http.StatusOK)
	}
	shop.wantTaken(t, charged.SagaID, 0)
	if _, status := shop.charge(t, request); status != http.StatusConflict {
		t.Errorf("a charge after the void got %d, want 409", status)
	}
	shop.wantTaken(t, charged.SagaID, 0)
	succeeded := shop.waitEvent(t, charged.ID, contract.PaymentSucceeded)
	voided := shop.waitEvent(t, charged.ID, contract.PaymentVoided)
	if voided.AggregateVersion <= succeeded.AggregateVersion {
		t.Errorf("the void has version %d, not above the capture's %d", voided.AggregateVersion, succeeded.AggregateVersion)
	}
}

func TestAVoidBeforeAnyChargeRefusesALateOne(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"", "?keep_captured=true"} {
		t.Run("void"+query, func(t *testing.T) {
			t.Parallel()
			shop := newRig(t).start(t)
			request := requestFor(sandbox.TokenVisa)
			for range 2 {
				voided, status := shop.void(t, request.SagaID, query)
				wantState(t, voided, status, contract.PaymentStateVoided, http.StatusOK)
			}
			if _, status := shop.charge(t, request); status != http.StatusConflict {
				t.Errorf("a charge after the void got %d, want 409", status)
			}
			if charges, taken := shop.ledger(t, request.SagaID); charges != 0 || taken != 0 {
				t.Errorf("the provider made %d charges of %d in all", charges, taken)
			}
		})
	}
	if _, status := newRig(t).start(t).void(t, "nonsense", ""); status != http.StatusBadRequest {
		t.Errorf("a void of nonsense got %d, want 400", status)
	}
}

func TestAVoidMayLeaveWhatIsCaptured(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	request := requestFor(sandbox.TokenVisa)
	charged, _ := shop.charge(t, request)
	kept, status := shop.void(t, request.SagaID, "?keep_captured=true")
	wantState(t, kept, status, contract.PaymentStateCaptured, http.StatusOK)
	shop.wantTaken(t, charged.SagaID, request.Amount.Amount)
	if again, status := shop.charge(t, request); status != http.StatusCreated || again != charged {
		t.Errorf("after the void that kept it the charge is %d %+v", status, again)
	}
}

// A void that comes between the provider's capture and our record of it must win: the money goes back, and the charge's own
// answer, arriving late, is told so.
func TestAVoidOvertakesAChargeThatIsUnderWay(t *testing.T) {
	t.Parallel()
	gated := make(chan *gate, 1)
	shop := newRig(t).wrap(func(next provider.Provider) provider.Provider {
		g := newGate(next)
		gated <- g
		return g
	}).start(t)
	g := <-gated
	request := requestFor(sandbox.TokenVisa)
	done := make(chan int, 1)
	go func() {
		_, status := shop.charge(t, request)
		done <- status
	}()
	<-g.arrived
	voided, status := shop.void(t, request.SagaID, "")
	wantState(t, voided, status, contract.PaymentStateVoided, http.StatusOK)
	close(g.open)
	if status := <-done; status != http.StatusConflict {
		t.Errorf("the overtaken charge got %d, want 409", status)
	}
	found, _ := shop.get(t, request.SagaID)
	wantState(t, found, http.StatusOK, contract.PaymentStateVoided, http.StatusOK)
	shop.wantTaken(t, voided.SagaID, 0)
}

// keep_captured asks the provider, which knows of the capture before we do.
func TestAVoidThatKeepsSeesACaptureThatIsNotRecordedYet(t *testing.T) {
	t.Parallel()
	gated := make(chan *gate, 1)
	shop := newRig(t).wrap(func(next provider.Provider) provider.Provider {
		g := newGate(next)
		gated <- g
		return g
	}).start(t)
	g := <-gated
	request := requestFor(sandbox.TokenVisa)
	done := make(chan contract.Payment, 1)
	go func() {
		got, _ := shop.charge(t, request)
		done <- got
	}()
	<-g.arrived
	kept, status := shop.void(t, request.SagaID, "?keep_captured=true")
	wantState(t, kept, status, contract.PaymentStateCaptured, http.StatusOK)
	close(g.open)
	if got := <-done; got != kept {
		t.Errorf("the charge was told %+v, the void %+v", got, kept)
	}
	shop.wantTaken(t, kept.SagaID, request.Amount.Amount)
}

func TestAVoidRacingAChargeEndsInOneOfTheTwo(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	for _, query := range []string{"", "?keep_captured=true"} {
		for range 15 {
			request := requestFor(sandbox.TokenVisa)
			var charged, voided int
			var group sync.WaitGroup
			group.Go(func() { _, charged = shop.charge(t, request) })
			group.Go(func() { _, voided = shop.void(t, request.SagaID, query) })
			group.Wait()
			if voided != http.StatusOK || (charged != http.StatusCreated && charged != http.StatusConflict) {
				t.Fatalf("the void got %d and the charge %d", voided, charged)
			}
			final, _ := shop.get(t, request.SagaID)
			switch {
			case final.State == contract.PaymentStateVoided:
				shop.wantTaken(t, final.SagaID, 0)
			case final.State == contract.PaymentStateCaptured && query != "":
				shop.wantTaken(t, final.SagaID, request.Amount.Amount)
			default:
				t.Fatalf("it ended %s after void%s", final.State, query)
			}
		}
	}
}

func TestAVoidOfAnotherRegionsSagaIsKeptInItsHome(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	saga := geo.NewID("sga", "euw")
	if _, status := shop.void(t, saga, ""); status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	var region string
	if err := shop.DB.QueryRow(t.Context(), `SELECT crdb_region FROM payments WHERE saga_id = $1`, saga).Scan(&region); err != nil || region != "eu-west" {
		t.Errorf("the row is in %q, %v, want eu-west", region, err)
	}
}

// Any region may settle a payment; its event goes to where its saga listens.
func TestAnEventGoesToThePaymentsHome(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	request := requestFor(sandbox.TokenVisa)
	request.SagaID = geo.NewID("sga", "euw")
	charged, status := shop.charge(t, request)
	wantState(t, charged, status, contract.PaymentStateCaptured, http.StatusCreated)
	var home, origin string
	err := shop.DB.QueryRow(t.Context(), `SELECT crdb_region, event->>'originregion' FROM outbox WHERE aggregate = $1`, charged.ID).Scan(&home, &origin)
	if err != nil || home != "eu-west" || origin != "eu-west" {
		t.Errorf("the event waits in %q as one of %q, %v, want eu-west", home, origin, err)
	}
}
