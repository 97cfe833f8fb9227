package payment

import (
	"embed"
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

// Definition describes the payment service.
func Definition() kit.Definition {
	return kit.Definition{
		Name: contract.ServicePayment, Broker: kit.Required,
		Schema: &sqldb.Schema{
			Migrations:    sqldb.Merge(outbox.Migrations(), sqldb.Embedded(migrations)),
			RegionalByRow: append(outbox.Tables(), "payments", "refunds"),
		},
		New: kit.Configured(New),
	}
}

// Service is one running copy of the payment service.
type Service struct {
	store    *store
	provider provider.Provider
	regions  []contract.Region
	config   Config
	now      func() time.Time
	log      *slog.Logger
	outcomes *prometheus.CounterVec
	loops    []kit.Loop
}

// New makes the payment service.
func New(base *kit.Base, config Config) (*Service, error) {
	moves, err := config.adapter()
	if err != nil {
		return nil, err
	}
	outcomes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_payments_total", Help: "Payments by the state that they reached (captured, declined, voided), and refunds (refunded, refund_failed).",
	}, []string{"state"})
	base.Registry.MustRegister(outcomes)
	box := outbox.New(base)
	s := &Service{
		store: newStore(base.DB, box.Writer, base.Regions, base.Now), provider: guard(moves, base.Registry),
		regions: base.Regions, config: config, now: base.Now, log: base.Log, outcomes: outcomes,
	}
	s.loops = append(box.Loops(), kit.Loop{
		Name: "reconcile payments", Run: kit.Every(config.reconcileEvery, base.Overdue(config.neighbourGrace, s.reconcile)),
	})
	return s, nil
}

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop { return s.loops }
