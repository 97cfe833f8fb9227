package payment

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
	"github.com/meridian-store/meridian/services/payment/provider"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Definition is the payment service.
func Definition() kit.Definition { return definitionWith(defaultSettings()) }

// DefinitionWith is the payment service with a provider of the caller's, whatever the environment says.
func DefinitionWith(moves provider.Provider) kit.Definition {
	settings := defaultSettings()
	settings.provider = moves
	return definitionWith(settings)
}

func definitionWith(settings settings) kit.Definition {
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return kit.Definition{
		Name: contract.ServicePayment,
		Schema: &sqldb.Schema{
			Migrations:    sqldb.Merge(outbox.Migrations(), own),
			RegionalByRow: append(outbox.Tables(), "payments", "refunds"),
		},
		UsesBroker: true,
		Setup: func(ctx context.Context, base *kit.Base) error {
			settings := settings
			if settings.provider == nil {
				var err error
				if settings, err = settings.fromEnvironment(ctx); err != nil {
					return err
				}
			}
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
		Name: "meridian_payments_total", Help: "Payments by the state that they reached (captured, declined, voided), and refunds (refunded, refund_failed).",
	}, []string{"state"})
	base.Registry.MustRegister(outcomes)
	return &service{
		store: newStore(base.DB, outbox.Start(base), base.Regions, base.Now), provider: guard(settings.provider, base.Registry),
		regions: base.Regions, settings: settings, now: base.Now, log: base.Log, outcomes: outcomes,
	}
}
