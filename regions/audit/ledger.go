package audit

import (
	"context"
	"slices"
	"time"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// clockSlack is how far the provider's clock may be behind ours: what it dates is looked for from that much earlier on.
const clockSlack = time.Hour

// readLedger reads the provider's books; with only, what is of some sagas, whose ids tell since when.
func readLedger(ctx context.Context, ledger provider.Ledger, only []string, add func(what, saga string, part chain) error) error {
	since := oldest(only)
	wanted := func(saga string) bool {
		_, found := slices.BinarySearch(only, saga)
		return only == nil || found
	}
	err := ledger.Charges(ctx, since, func(intent provider.Intent) error {
		if !wanted(intent.SagaID) {
			return nil
		}
		return add("charges", intent.SagaID, chain{Intents: []intentRow{{
			ID: intent.ID, OrderID: intent.OrderID, State: intent.State, Amount: intent.Amount, Captured: intent.Captured,
		}}})
	})
	if err != nil {
		return &CannotLook{"the payment provider's books", err}
	}
	err = ledger.Refunds(ctx, since, func(refund provider.Refund) error {
		if !wanted(refund.SagaID) {
			return nil
		}
		return add("refunds", refund.SagaID, chain{Refunds: []refundRow{{
			Book: bookProvider, ID: refund.RefundID, IntentID: refund.IntentID, State: string(refund.State), Amount: refund.Amount,
		}}})
	})
	if err != nil {
		return &CannotLook{"the payment provider's books", err}
	}
	return nil
}

// oldest gives a time before anything of some sagas can have happened at the provider; the zero time for all sagas, and where an id
// does not tell.
func oldest(sagas []string) time.Time {
	var first time.Time
	for _, saga := range sagas {
		id, err := geo.ParseID(saga)
		if err != nil {
			return time.Time{}
		}
		if at := id.Time().Add(-clockSlack); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}
