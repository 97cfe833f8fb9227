package audit_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/regions/audit"
	"github.com/meridian-store/meridian/regions/cluster"
	"github.com/meridian-store/meridian/services/payment/provider"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

const home, away = "us-east", "eu-west"

// settle is short, because nothing else writes to a test's databases.
const settle = 20 * time.Millisecond

// shop is a shop's databases as its services make them, without the constraints that keep it from breaking its promises, and a
// provider's books.
type shop struct {
	t      *testing.T
	owner  map[string]*sqldb.DB
	reader map[string]*sqldb.DB
	ledger *books
}

// unguarded drops what keeps a database from holding what an audit looks for.
var unguarded = map[string][]string{
	contract.ServiceOrder: {
		`DROP INDEX IF EXISTS orders_bought_once`, `DROP INDEX IF EXISTS orders_follow_once`, `DROP INDEX sagas_key`, `DROP INDEX sagas_running_of_cart`,
		`ALTER TABLE sagas DROP CONSTRAINT sagas_check`, `ALTER TABLE sagas DROP CONSTRAINT sagas_crdb_region_order_id_fkey`,
		`ALTER TABLE promotion_uses DROP CONSTRAINT promotion_uses_within_limit`,
	},
	contract.ServicePayment: {
		`ALTER TABLE payments DROP CONSTRAINT payments_refunded_within_amount`, `ALTER TABLE refunds DROP CONSTRAINT refunds_crdb_region_saga_id_fkey`,
	},
	contract.ServiceInventory: {
		`ALTER TABLE stock DROP CONSTRAINT stock_is_not_oversold`,
	},
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, owner: map[string]*sqldb.DB{}, reader: map[string]*sqldb.DB{}, ledger: &books{}}
	admin := enginetest.Postgres(t).SuperuserURL()
	prefix := "test_" + strings.ToLower(geo.NewID("test", "use")[9:])
	reader := prefix + "_audit"
	s.check(sqldb.ProvisionReader(t.Context(), admin, reader, "unimportant"))
	reads := audit.Reads()
	for _, definition := range cluster.Services() {
		service := definition.Name
		columns, read := reads[service]
		if !read {
			continue
		}
		name := prefix + "_" + service
		s.check(sqldb.Provision(t.Context(), admin, name, name, "unimportant"))
		address, err := url.Parse(admin)
		s.check(err)
		address.Path = "/" + name
		s.check(sqldb.Migrate(t.Context(), address.String(), *definition.Schema, name, []string{home, away}))
		s.check(sqldb.GrantReads(t.Context(), address.String(), reader, columns))
		s.owner[service] = s.open(address)
		for _, statement := range unguarded[service] {
			s.exec(service, statement)
		}
		address.User = url.UserPassword(reader, "unimportant")
		s.reader[service] = s.open(address)
	}
	return s
}

func (s *shop) open(address *url.URL) *sqldb.DB {
	s.t.Helper()
	db, err := sqldb.Open(s.t.Context(), address.String(), nil)
	s.check(err)
	s.t.Cleanup(db.Close)
	return db
}

func (s *shop) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) exec(service, statement string, args ...any) {
	s.t.Helper()
	if _, err := s.owner[service].Exec(s.t.Context(), statement, args...); err != nil {
		s.t.Fatalf("%s: %s: %v", service, statement, err)
	}
}

func (s *shop) config() audit.Config {
	return audit.Config{Databases: s.reader, Ledger: s.ledger, Regions: []string{home, away}, Settle: settle}
}

func (s *shop) audit() audit.Report {
	s.t.Helper()
	report, err := audit.Run(s.t.Context(), s.config())
	s.check(err)
	return report
}

// empty forgets everything, so that the next case begins with a sound shop.
func (s *shop) empty() {
	s.t.Helper()
	for service, tables := range audit.Reads() {
		for table := range tables {
			s.exec(service, `TRUNCATE `+table+` CASCADE`)
		}
	}
	*s.ledger = books{}
}

// books are a provider's, in memory.
type books struct {
	intents []provider.Intent
	refunds []provider.Refund
}

func (b *books) Charges(_ context.Context, since time.Time, each func(provider.Intent) error) error {
	for _, intent := range b.intents {
		if intent.CreatedAt.Before(since) {
			continue
		}
		if err := each(intent); err != nil {
			return err
		}
	}
	return nil
}

func (b *books) Refunds(_ context.Context, since time.Time, each func(provider.Refund) error) error {
	for _, refund := range b.refunds {
		if refund.CreatedAt.Before(since) {
			continue
		}
		if err := each(refund); err != nil {
			return err
		}
	}
	return nil
}

// sale is the ids of one checkout and what it is for.
type sale struct {
	saga, order, payment, intent, cart, sku string
	quote                                   contract.Quote
}

func usd(amount int64) contract.Money { return contract.Money{Amount: amount, Currency: "USD"} }

// newSale is of two units at 10.00, shipping 5.00, a discount of 1.00, and 10 % tax on top: 26.40.
func newSale() sale {
	sku := geo.NewID("sku", "use")
	return sale{
		saga: geo.NewID("sga", "use"), order: geo.NewID("ord", "use"), payment: geo.NewID("pay", "use"), intent: geo.NewID("ppi", "use"), cart: geo.NewID("crt", "use"), sku: sku,
		quote: contract.Quote{
			Currency: "USD", Lines: []contract.QuoteLine{{SKU: sku, Quantity: 2, UnitPrice: usd(1000), Total: usd(2000)}}, Subtotal: usd(2000),
			Promotions: []contract.QuotePromotion{{ID: "prm", Amount: usd(100)}}, Discount: usd(100), Shipping: usd(500),
			Tax: contract.QuoteTax{RateBasisPoints: 1000, Amount: usd(240)}, Total: usd(2640),
		},
	}
}

// state is how far a sale has come.
type state struct {
	order, saga, payment, reservation string
	answer                            int
}

var (
	confirmed = state{"confirmed", "confirmed", "captured", "sold", 201}
	failed    = state{"failed", "failed", "declined", "released", 402}
	running   = state{"pending", "running", "captured", "held", 0}
)

// sell writes a sale everywhere, as it is in a sound shop.
func (s *shop) sell(how state) sale {
	s.t.Helper()
	one := newSale()
	s.writeOrder(one, how)
	s.writeSaga(one, how)
	s.writePayment(one, how)
	s.writeStock(one, how)
	return one
}

func (s *shop) writeOrder(one sale, how state) {
	s.t.Helper()
	quote, err := json.Marshal(one.quote)
	s.check(err)
	payment := ""
	if how.order == "confirmed" {
		payment = one.payment
	}
	s.exec(contract.ServiceOrder, `INSERT INTO orders (crdb_region, id, number, saga_id, cart_id, cart_version, owner_hash, status, reason, version, quote,
			payment_id, email, shipping_address, answer_status, answer_body, created_at, updated_at, user_id)
		VALUES ($1, $2, $2, $3, $4, 1, '', $5, '', 1, $6::JSONB, $7, 'ada@example.test', '{}', $8, '', now(), now(), '')`,
		home, one.order, one.saga, one.cart, how.order, string(quote), payment, how.answer)
}

func (s *shop) writeSaga(one sale, how state) {
	s.t.Helper()
	token, direction := "", "forward"
	switch how.saga {
	case "running":
		token = "tok_visa"
	case "failed":
		direction = "compensate"
	}
	s.exec(contract.ServiceOrder, `INSERT INTO sagas (crdb_region, id, cart_id, idempotency_key, request_hash, order_id, state, direction, step, epoch,
			lease_holder, lease_until, deadline, payment_token, created_at)
		VALUES ($1, $2, $3, 'key', '', $4, $5, $6, 'end', 1, '', now(), now() + INTERVAL '1 minute', $7, now())`,
		home, one.saga, one.cart, one.order, how.saga, direction, token)
}

func (s *shop) writePayment(one sale, how state) {
	s.t.Helper()
	s.exec(contract.ServicePayment, `INSERT INTO payments (crdb_region, saga_id, id, order_id, amount, currency, token_hash, state, reason, voiding, provider_id,
			version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, '', $7, '', FALSE, $8, 1, now(), now())`,
		home, one.saga, one.payment, one.order, one.quote.Total.Amount, one.quote.Total.Currency, how.payment, one.intent)
	s.ledger.intents = append(s.ledger.intents, intentOf(one, how))
}

func intentOf(one sale, how state) provider.Intent {
	intent := provider.Intent{
		Names: provider.Names{SagaID: one.saga, OrderID: one.order}, ID: one.intent, State: provider.State(how.payment), Amount: one.quote.Total, CreatedAt: time.Now(),
	}
	if how.payment == "captured" {
		intent.Captured = one.quote.Total.Amount
	}
	return intent
}

// writeStock takes the units from a shelf in another region than the saga's.
func (s *shop) writeStock(one sale, how state) {
	s.t.Helper()
	s.exec(contract.ServiceInventory, `INSERT INTO movements (crdb_region, sku, warehouse, kind, reference, quantity, at) VALUES ($1, $2, 'dub', 'received', 'first', 10, now())`, away, one.sku)
	allocations, err := json.Marshal([]contract.Allocation{{Region: away, Warehouse: "dub", SKU: one.sku, Quantity: 2}})
	s.check(err)
	if how.reservation != "" {
		s.exec(contract.ServiceInventory, `INSERT INTO reservations (crdb_region, saga_id, state, request_hash, allocations, expires_at, version, created_at, updated_at)
			VALUES ($1, $2, $3, '', $4::JSONB, now(), 1, now(), now())`, home, one.saga, how.reservation, string(allocations))
	}
	onHand, reserved := 10, 0
	switch how.reservation {
	case "held":
		reserved = 2
		s.exec(contract.ServiceInventory, `INSERT INTO reservation_lines (crdb_region, saga_id, sku, warehouse, quantity) VALUES ($1, $2, $3, 'dub', 2)`, away, one.saga, one.sku)
	case "sold":
		onHand = 8
		s.exec(contract.ServiceInventory, `INSERT INTO movements (crdb_region, sku, warehouse, kind, reference, quantity, at) VALUES ($1, $2, 'dub', 'sold', $3, -2, now())`, away, one.sku, one.saga)
	}
	s.exec(contract.ServiceInventory, `INSERT INTO stock (crdb_region, sku, warehouse, on_hand, reserved) VALUES ($1, $2, 'dub', $3, $4)`, away, one.sku, onHand, reserved)
}

// refund gives back some of a sale, in all three books.
func (s *shop) refund(one sale, amount int64) (id string) {
	s.t.Helper()
	id = geo.NewID("rfd", "use")
	s.exec(contract.ServiceOrder, `INSERT INTO order_refunds (crdb_region, order_id, id, amount, currency, state, reason, created_at, updated_at)
		VALUES ($1, $2, $3, $4, 'USD', 'succeeded', '', now(), now())`, home, one.order, id, amount)
	s.exec(contract.ServicePayment, `INSERT INTO refunds (crdb_region, saga_id, id, amount, currency, state, reason, provider_id, intent_id, created_at, updated_at)
		VALUES ($1, $2, $3, $4, 'USD', 'succeeded', '', '', $5, now(), now())`, home, one.saga, id, amount, one.intent)
	s.exec(contract.ServicePayment, `UPDATE payments SET refunded = refunded + $2 WHERE saga_id = $1`, one.saga, amount)
	s.ledger.refunds = append(s.ledger.refunds, provider.Refund{
		ID: "re_" + id, RefundID: id, SagaID: one.saga, IntentID: one.intent, State: provider.RefundSucceeded, Amount: usd(amount), CreatedAt: time.Now(),
	})
	return id
}

// bringBack puts some units of a sale back on the shelf.
func (s *shop) bringBack(one sale, units int) (returnID string) {
	s.t.Helper()
	returnID = geo.NewID("ret", "use")
	allocations, err := json.Marshal([]contract.Allocation{{Region: away, Warehouse: "dub", SKU: one.sku, Quantity: int64(units)}})
	s.check(err)
	s.exec(contract.ServiceInventory, `INSERT INTO returns (crdb_region, saga_id, return_id, request_hash, allocations, at) VALUES ($1, $2, $3, '', $4::JSONB, now())`,
		home, one.saga, returnID, string(allocations))
	s.exec(contract.ServiceInventory, `INSERT INTO movements (crdb_region, sku, warehouse, kind, reference, quantity, at) VALUES ($1, $2, 'dub', 'returned', $3, $4, now())`,
		away, one.sku, returnID, units)
	s.exec(contract.ServiceInventory, `UPDATE stock SET on_hand = on_hand + $2 WHERE sku = $1`, one.sku, units)
	return returnID
}

// redeem uses a promotion a number of times for a sale, by as many customers.
func (s *shop) redeem(one sale, uses, limit int) {
	s.t.Helper()
	s.exec(contract.ServiceOrder, `INSERT INTO promotion_uses (crdb_region, promotion_id, customer, used, use_limit) VALUES ($1, 'prm', '', $2, $3)`, away, uses, limit)
	for range uses {
		order := one.order
		if uses > 1 {
			more := newSale()
			s.archive(more)
			order = more.order
		}
		s.exec(contract.ServiceOrder, `INSERT INTO promotion_redemptions (crdb_region, order_id, promotion_id, customer, home) VALUES ($1, $2, 'prm', '', $3)`, home, order, away)
	}
}

// archive keeps a sale's order as an archived one that was sold.
func (s *shop) archive(one sale) {
	s.t.Helper()
	s.exec(contract.ServiceOrder, `INSERT INTO order_archive (crdb_region, id, number, saga_id, cart_id, owner_hash, user_id, status, created_at, file, block_offset, block_length)
		VALUES ($1, $2, $2, $3, '', '', '', 'fulfilled', now(), 'a file', 0, 1)`, home, one.order, one.saga)
	s.exec(contract.ServiceOrder, `DELETE FROM sagas WHERE id = $1`, one.saga)
	s.exec(contract.ServiceOrder, `DELETE FROM orders WHERE id = $1`, one.order)
	s.writePayment(one, confirmed)
	s.writeStock(one, confirmed)
}

// sound fills the shop with orders of every kind, none of which breaks a promise.
func (s *shop) sound() {
	s.t.Helper()
	for _, how := range []state{confirmed, failed, running} {
		s.sell(how)
	}
	one := s.sell(confirmed)
	s.bringBack(one, 1)
	s.bringBack(one, 1)
	s.redeem(one, 1, 1)
	s.archive(newSale())
	s.refund(one, 100)
	cancelled := s.sell(confirmed)
	s.refund(cancelled, 2000)
	s.refund(cancelled, 640)
	s.exec(contract.ServiceOrder, `UPDATE orders SET status = 'cancelled' WHERE id = $1`, cancelled.order)
	void := failed
	void.payment = "voided"
	given := s.sell(void)
	intent := &s.ledger.intents[len(s.ledger.intents)-1]
	intent.State, intent.Captured = provider.Captured, 2640
	s.ledger.refunds = append(s.ledger.refunds, provider.Refund{
		ID: "re_void", RefundID: "void-" + given.payment, SagaID: given.saga, IntentID: given.intent, State: provider.RefundSucceeded, Amount: usd(2640), CreatedAt: time.Now(),
	})
}
