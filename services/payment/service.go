package payment

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/replication/outbox"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/sqldb"
	"github.com/meridian-store/meridian/services/payment/provider"
	"github.com/meridian-store/meridian/services/payment/sandbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

// settings are the service's times, and who moves the money.
type settings struct {
	// providerLimit bounds one call to the provider; findLimit the look afterwards for an answer that did not come.
	providerLimit, findLimit time.Duration
	// reconcileEvery is how often payments that are still open are looked for.
	reconcileEvery time.Duration
	// neighbourGrace is how long another region's open payment is left to that region's own loop.
	neighbourGrace time.Duration
	provider       func(base *kit.Base) provider.Provider
}

func defaultSettings() settings {
	return settings{
		providerLimit: 15 * time.Second, findLimit: 3 * time.Second,
		reconcileEvery: 2 * time.Second, neighbourGrace: 2 * time.Minute,
		provider: func(base *kit.Base) provider.Provider { return sandbox.New(base.DB, base.Regions, base.Now) },
	}
}

// Definition is the payment service.
func Definition() kit.Definition { return definitionWith(defaultSettings()) }

func definitionWith(settings settings) kit.Definition {
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	tables := append(outbox.Tables(), "payments")
	return kit.Definition{
		Name: contract.ServicePayment,
		Schema: &sqldb.Schema{
			Migrations:    sqldb.Merge(outbox.Migrations(), own, sandbox.Migrations()),
			RegionalByRow: append(tables, sandbox.Tables()...),
		},
		UsesBroker: true,
		Setup: func(_ context.Context, base *kit.Base) error {
			s := newService(base, settings)
			s.routes(base.API)
			base.Loop("reconcile", kit.Every(s.settings.reconcileEvery, base.Overdue(s.settings.neighbourGrace, s.reconcile)))
			return nil
		},
	}
}

// service is one running copy of the payment service.
type service struct {
	store    *store
	provider provider.Provider
	regions  []contract.Region
	settings settings
	now      func() time.Time
	log      *slog.Logger
	outcomes *prometheus.CounterVec
}

func newService(base *kit.Base, settings settings) *service {
	outcomes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_payments_total", Help: "Payments by the state that they reached: captured, declined, voided.",
	}, []string{"state"})
	unanswered := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "meridian_payment_provider_unanswered_total", Help: "Calls to the payment provider that brought no answer.",
	})
	base.Registry.MustRegister(outcomes, unanswered)
	return &service{
		store: newStore(base.DB, outbox.Start(base), base.Now), provider: counted{settings.provider(base), unanswered},
		regions: base.Regions, settings: settings, now: base.Now, log: base.Log, outcomes: outcomes,
	}
}
