package sandbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/kittest"
	"github.com/meridian-store/meridian/services/kit/sqldb"
	"github.com/meridian-store/meridian/services/payment/provider"
	"github.com/meridian-store/meridian/services/payment/providertest"
	"github.com/meridian-store/meridian/services/payment/sandbox"
)

func TestMain(m *testing.M) { kittest.Main(m) }

// database starts a service that is nothing but the sandbox's tables.
func database(t *testing.T) *kittest.Service {
	t.Helper()
	return kittest.Start(t, kit.Definition{
		Name:   "sandbox",
		Schema: &sqldb.Schema{Migrations: sandbox.Migrations(), RegionalByRow: sandbox.Tables()},
		Setup:  func(context.Context, *kit.Base) error { return nil },
	})
}

func TestSandboxIsAProvider(t *testing.T) {
	t.Parallel()
	shop := database(t)
	providertest.Run(t, providertest.Subject{
		Provider:      sandbox.New(shop.DB, shop.Regions, time.Now),
		NewKey:        func() string { return geo.NewID("pay", "use") },
		TokenCaptures: sandbox.TokenVisa, TokenDeclines: sandbox.TokenDeclined, TokenUnknown: "tok_nobody",
		TokenNeverAnswers: sandbox.TokenTimeoutAfterCharge,
		Captured: func(t *testing.T, key string) int64 {
			var taken int64
			err := shop.DB.QueryRow(t.Context(), `SELECT COALESCE(sum(captured - refunded), 0)::INT8 FROM sandbox_charges WHERE key = $1`, key).Scan(&taken)
			if err != nil {
				t.Error(err)
			}
			return taken
		},
	})
}

func TestSlowTokenWaitsAndThenCaptures(t *testing.T) {
	t.Parallel()
	shop := database(t)
	var waited time.Duration
	slow := sandbox.New(shop.DB, shop.Regions, time.Now, sandbox.WithWait(func(_ context.Context, how time.Duration) error {
		waited += how
		return nil
	}))
	charge := provider.Charge{Key: geo.NewID("pay", "aps"), Amount: contract.Money{Amount: 5, Currency: "JPY"}, Token: sandbox.TokenSlow}
	for range 2 { // the repeat is answered from the ledger
		if result, err := slow.Charge(t.Context(), charge); err != nil || result.State != provider.Captured {
			t.Fatalf("got %+v, %v", result, err)
		}
	}
	if waited != sandbox.SlowCharge {
		t.Errorf("waited %s, want %s", waited, sandbox.SlowCharge)
	}
}

func TestSlowTokenGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	shop := database(t)
	slow := sandbox.New(shop.DB, shop.Regions, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	key := geo.NewID("pay", "use")
	done := make(chan error, 1)
	go func() {
		_, err := slow.Charge(ctx, provider.Charge{Key: key, Token: sandbox.TokenSlow, Amount: contract.Money{Amount: 5, Currency: "USD"}})
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it cancelled", err)
	}
	if _, found, err := slow.Find(t.Context(), key); err != nil || found {
		t.Errorf("found %v, %v, want nothing charged", found, err)
	}
}

func TestKeysOfNoRegionAreRefused(t *testing.T) {
	t.Parallel()
	shop := database(t)
	box := sandbox.New(shop.DB, shop.Regions, time.Now)
	for _, key := range []string{"", "nonsense", geo.NewID("pay", "xxx")} {
		if _, err := box.Charge(t.Context(), provider.Charge{Key: key, Token: sandbox.TokenVisa}); err == nil {
			t.Errorf("the key %q was accepted", key)
		}
	}
}
