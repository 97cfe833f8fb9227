package journeys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/regions/audit"
)

// audited runs `meridian audit` and gives its exit code and its report; it may be called from any goroutine.
func (s *shop) audited(ctx context.Context, args ...string) (code int, report audit.Report, err error) {
	var out bytes.Buffer
	err = s.run(ctx, &out, append([]string{"audit", "--json"}, args...)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code, err = exit.ExitCode(), nil
	}
	if err == nil && out.Len() > 0 {
		err = json.Unmarshal(out.Bytes(), &report)
	}
	return code, report, err
}

// buy takes a person from an empty cart to the answer of a checkout.
func (p *shopper) buy(t *testing.T, sku, token string) answer {
	t.Helper()
	p.ask(t, http.MethodPost, "/api/v1/cart/items", contract.SKUCount{SKU: sku, Quantity: 1}, nil).want(t, http.StatusOK)
	return p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody(token, "US", ""), nil, idempotencyKey())
}

// TestAnAuditFindsNothingUntilARowIsChanged audits a shop while it sells, after it sold, after a row was changed by hand, and once
// it is down.
func TestAnAuditFindsNothingUntilARowIsChanged(t *testing.T) {
	t.Parallel()
	s := &shop{binary: binary(t), home: filepath.Join(scratch, "audited")}
	t.Cleanup(func() {
		var out bytes.Buffer
		if err := s.run(context.WithoutCancel(t.Context()), &out, "down"); err != nil {
			t.Error(err)
		}
	})
	s.up(t, enginetest.Ports(t, 100), "--region", "us-east")
	s.must(t, "seed", "--products", "20")
	first := &shopper{shop: s, location: "IAD"}
	kittest.Eventually(t, func() error { // what has just been seeded is announced as in stock within moments
		var page struct {
			Items []contract.Summary `json:"items"`
		}
		first.ask(t, http.MethodGet, "/api/v1/products?limit=20", nil, &page).want(t, http.StatusOK)
		page.Items = slices.DeleteFunc(page.Items, func(item contract.Summary) bool { return item.Stock != contract.BandInStock })
		if len(page.Items) < 5 {
			return fmt.Errorf("only %d products are in stock", len(page.Items))
		}
		return nil
	})
	variants := first.browse(t, 0, 3)
	const buyers = 12
	selling, sold := context.WithCancel(t.Context())
	var audits sync.WaitGroup
	audits.Go(func() {
		for ended := false; !ended; {
			ended = selling.Err() != nil
			if code, report, err := s.audited(context.WithoutCancel(selling)); code != 0 || err != nil {
				t.Errorf("while it sells, audit exits with %d: %+v (%v)", code, report.Violations, err)
			}
		}
	})
	for n := range buyers {
		token, status := "tok_visa", http.StatusCreated
		if n%4 == 3 {
			token, status = "tok_chargeDeclined", http.StatusPaymentRequired
		}
		(&shopper{shop: s, location: "IAD"}).buy(t, variants[n%len(variants)].SKU, token).want(t, status)
	}
	sold()
	audits.Wait()
	code, report, err := s.audited(t.Context())
	if err != nil || code != 0 || report.Checked["orders"] != buyers || report.Checked["charges"] != buyers || report.Checked["sales"] == 0 {
		t.Errorf("after it sold, audit exits with %d: %+v (%v)", code, report, err)
	}
	t.Logf("clean after %d checkouts in %d ms: %v", buyers, report.TookMS, report.Checked)

	changed := s.overcharge(t)
	if code, report, err = s.audited(t.Context(), "--settle", "1s"); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, v := range report.Violations {
		if !slices.Contains(v.IDs, changed) {
			t.Errorf("audit finds %+v, which is not about %s", v, changed)
		}
		codes = append(codes, v.Code)
	}
	if want := []string{"order_total_not_charged", "provider_amount_differs"}; code != 1 || !slices.Equal(codes, want) {
		t.Errorf("after a row was changed, audit exits with %d and finds %v, not %v", code, codes, want)
	}
	s.must(t, "down")
	if code, _, err := s.audited(t.Context()); code != 3 || err != nil {
		t.Errorf("of a shop that is down, audit exits with %d (%v)", code, err)
	}
}

// overcharge adds a cent to one payment of the books, by hand, and gives the payment's id.
func (s *shop) overcharge(t *testing.T) (id string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.databaseURL(t, contract.ServicePayment))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	err = conn.QueryRow(t.Context(), `UPDATE payments SET amount = amount + 1
		WHERE saga_id = (SELECT min(saga_id) FROM payments WHERE state = 'captured') RETURNING id`).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
