package audit_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/regions/audit"
	"github.com/meridian-store/meridian/services/payment/provider"
)

func TestASoundShopIsClean(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.sound()
	report := s.audit()
	if !report.OK || report.Checked["orders"] != 6 || report.Checked["archived orders"] != 1 || report.Checked["charges"] != 7 || report.Checked["shelves"] != 7 || report.Checked["refunds"] != 10 {
		t.Errorf("a sound shop: %+v", report)
	}
}

// moving is a provider's books during whose first reading the shop goes on.
type moving struct {
	*books
	goOn func()
}

func (m *moving) Charges(ctx context.Context, since time.Time, each func(provider.Intent) error) error {
	if m.goOn != nil {
		m.goOn()
		m.goOn = nil
	}
	return m.books.Charges(ctx, since, each)
}

// TestWhatIsUnderWayIsNoViolation reads an order before its stock is sold, and another one's charge before its order is known.
func TestWhatIsUnderWayIsNoViolation(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	how := confirmed
	how.reservation = "held"
	first, second := s.sell(how), newSale()
	config := s.config()
	config.Ledger = &moving{s.ledger, func() {
		s.exec(inventory, `DELETE FROM reservation_lines`)
		s.exec(inventory, `UPDATE stock SET on_hand = 8, reserved = 0`)
		s.exec(inventory, `INSERT INTO movements (crdb_region, sku, warehouse, kind, reference, quantity, at) VALUES ($1, $2, 'dub', 'sold', $3, -2, now())`, away, first.sku, first.saga)
		s.exec(inventory, `UPDATE reservations SET state = 'sold'`)
		s.writeOrder(second, confirmed)
		s.writeSaga(second, confirmed)
		s.writePayment(second, confirmed)
		s.writeStock(second, confirmed)
	}}
	report, err := audit.Run(t.Context(), config)
	if err != nil || !report.OK {
		t.Errorf("%+v (%v)", report, err)
	}
}

// TestAnAuditNeedsLittleMemory audits with next to none, and finds the same.
func TestAnAuditNeedsLittleMemory(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.sound()
	one := s.sell(confirmed)
	s.exec(payment, `DELETE FROM payments WHERE saga_id = $1`, one.saga)
	config := s.config()
	config.SpoolBytes, config.SpoolFolder = 1, t.TempDir()
	report, err := audit.Run(t.Context(), config)
	if err != nil || len(report.Violations) != 2 || report.Violations[0].Code != "charge_unknown" || report.Violations[1].Code != "order_without_charge" {
		t.Errorf("%+v (%v)", report, err)
	}
}

func TestAnAuditReadsNothingPersonal(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.sell(confirmed)
	for _, personal := range []string{`SELECT email FROM orders`, `SELECT shipping_address FROM orders`, `SELECT answer_body FROM orders`, `DELETE FROM orders`} {
		_, err := s.reader[order].Exec(t.Context(), personal)
		if refusal, ok := sqldb.AsPgError(err); !ok || refusal.Code != "42501" {
			t.Errorf("%s: %v", personal, err)
		}
	}
}

// deaf is a provider that does not answer.
type deaf struct{ *books }

var errDeaf = errors.New("no answer")

func (deaf) Refunds(context.Context, time.Time, func(provider.Refund) error) error { return errDeaf }

func TestAnAuditSaysWhatItCanNotRead(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	config := s.config()
	config.Ledger = deaf{s.ledger}
	var blind *audit.CannotLook
	if _, err := audit.Run(t.Context(), config); !errors.As(err, &blind) || !errors.Is(err, errDeaf) || !strings.Contains(err.Error(), "provider") {
		t.Errorf("the provider: %v", err)
	}
	s.reader[contract.ServiceInventory].Close()
	if _, err := audit.Run(t.Context(), s.config()); !errors.As(err, &blind) || !strings.Contains(err.Error(), "inventory") {
		t.Errorf("inventory: %v", err)
	}
}

// TestTheRunbookKnowsEveryCode keeps docs/runbook/audit.md complete.
func TestTheRunbookKnowsEveryCode(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/runbook/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, check := range audit.Checks() {
		if seen[check.Code()] {
			t.Errorf("%s is the code of two checks", check.Code())
		}
		seen[check.Code()] = true
		if row := "| `" + check.Code() + "` |"; strings.Count(string(page), row) != 1 {
			t.Errorf("docs/runbook/audit.md has no row %s", row)
		}
		if check.Promise() == "" {
			t.Errorf("%s says nothing", check.Code())
		}
	}
}
