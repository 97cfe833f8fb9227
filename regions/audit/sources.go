package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// source is a table that holds parts of chains. Its statement streams one region's rows; the driver reads them as they come.
type source struct {
	what, service string
	// query begins with the saga's id and ends in a condition on the region, $1.
	query string
	// saga is the column that names the saga.
	saga string
	scan func(row pgx.CollectableRow) (saga string, part chain, err error)
}

// read gives a region's rows; with only, those of some sagas.
func (s source) read(ctx context.Context, db *sqldb.DB, region string, only []string, add func(what, saga string, part chain) error) error {
	query, args := s.query, []any{region}
	if only != nil {
		query += ` AND ` + s.saga + ` = ANY($2)`
		args = append(args, only)
	}
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.what, err)
	}
	defer rows.Close()
	for rows.Next() {
		saga, part, err := s.scan(rows)
		if err != nil {
			return fmt.Errorf("read %s: %w", s.what, err)
		}
		if err := add(s.what, saga, part); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", s.what, err)
	}
	return nil
}

func sources() []source {
	return []source{orders, archived, orderRefunds, sagaStates, payments, paymentRefunds, reservations, reservationLines, sales, returns}
}

var orders = source{
	what: "orders", service: contract.ServiceOrder, saga: "saga_id",
	query: `SELECT saga_id, id, status, answer_status, payment_id, quote FROM orders WHERE crdb_region = $1`,
	scan: func(row pgx.CollectableRow) (saga string, part chain, err error) {
		var order orderRow
		var body []byte
		if err := row.Scan(&saga, &order.ID, &order.Status, &order.AnswerStatus, &order.PaymentID, &body); err != nil {
			return "", chain{}, err
		}
		var quote contract.Quote
		if err := json.Unmarshal(body, &quote); err != nil {
			order.Sums = "it can not be read"
		} else {
			order.Sums = addUp(quote)
		}
		order.Total, order.SKUs = quote.Total, map[string]int64{}
		for _, line := range quote.Lines {
			order.SKUs[line.SKU] += line.Quantity
		}
		return saga, chain{Orders: []orderRow{order}}, nil
	},
}

// Of an archived order its fate is known here, and its details only in the archive's file.
var archived = source{
	what: "archived orders", service: contract.ServiceOrder, saga: "saga_id",
	query: `SELECT saga_id, id, status FROM order_archive WHERE crdb_region = $1`,
	scan: func(row pgx.CollectableRow) (saga string, part chain, err error) {
		order := orderRow{Archived: true}
		err = row.Scan(&saga, &order.ID, &order.Status)
		return saga, chain{Orders: []orderRow{order}}, err
	},
}

var orderRefunds = source{
	what: "refunds", service: contract.ServiceOrder, saga: "o.saga_id",
	query: `SELECT o.saga_id, r.id, r.state, r.amount, r.currency FROM order_refunds AS r
		JOIN orders AS o ON o.crdb_region = r.crdb_region AND o.id = r.order_id WHERE r.crdb_region = $1`,
	scan: func(row pgx.CollectableRow) (string, chain, error) { return scanRefund(row, bookOrder) },
}

func scanRefund(row pgx.CollectableRow, book string) (saga string, part chain, err error) {
	r := refundRow{Book: book}
	err = row.Scan(&saga, &r.ID, &r.State, &r.Amount.Amount, &r.Amount.Currency)
	return saga, chain{Refunds: []refundRow{r}}, err
}

// A saga is forgotten a week after its end; its order, payment and stock stay.
var sagaStates = source{
	what: "sagas", service: contract.ServiceOrder, saga: "id",
	query: `SELECT id, state, order_id, payment_token <> '', EXTRACT(EPOCH FROM now() - deadline)::FLOAT8 FROM sagas WHERE crdb_region = $1`,
	scan: func(row pgx.CollectableRow) (id string, part chain, err error) {
		var s sagaRow
		err = row.Scan(&id, &s.State, &s.OrderID, &s.HasToken, &s.OverdueSeconds)
		return id, chain{Sagas: []sagaRow{s}}, err
	},
}

var payments = source{
	what: "payments", service: contract.ServicePayment, saga: "saga_id",
	query: `SELECT saga_id, id, order_id, state, amount, currency, refunded FROM payments WHERE crdb_region = $1`,
	scan: func(row pgx.CollectableRow) (saga string, part chain, err error) {
		var p paymentRow
		err = row.Scan(&saga, &p.ID, &p.OrderID, &p.State, &p.Amount.Amount, &p.Amount.Currency, &p.Refunded)
		return saga, chain{Payments: []paymentRow{p}}, err
	},
}

var paymentRefunds = source{
	what: "refunds", service: contract.ServicePayment, saga: "saga_id",
	query: `SELECT saga_id, id, state, amount, currency FROM refunds WHERE crdb_region = $1`,
	scan:  func(row pgx.CollectableRow) (string, chain, error) { return scanRefund(row, bookPayment) },
}

var reservations = source{
	what: "reservations", service: contract.ServiceInventory, saga: "saga_id",
	query: `SELECT saga_id, state, allocations FROM reservations WHERE crdb_region = $1`,
	scan: func(row pgx.CollectableRow) (saga string, part chain, err error) {
		var r reservationRow
		var body []byte
		if err := row.Scan(&saga, &r.State, &body); err != nil {
			return "", chain{}, err
		}
		if err := json.Unmarshal(body, &r.Allocations); err != nil {
			return "", chain{}, fmt.Errorf("the allocations of %s: %w", saga, err)
		}
		return saga, chain{Reservations: []reservationRow{r}}, nil
	},
}

// A saga's lines and sales are homed with the stock, which may be another region than its own.
var reservationLines = source{
	what: "reservation lines", service: contract.ServiceInventory, saga: "saga_id",
	query: `SELECT saga_id, crdb_region, warehouse, sku, quantity FROM reservation_lines WHERE crdb_region = $1`,
	scan: func(row pgx.CollectableRow) (saga string, part chain, err error) {
		var line contract.Allocation
		err = row.Scan(&saga, &line.Region, &line.Warehouse, &line.SKU, &line.Quantity)
		return saga, chain{Lines: []contract.Allocation{line}}, err
	},
}

var sales = source{
	what: "sales", service: contract.ServiceInventory, saga: "reference",
	query: `SELECT reference, crdb_region, warehouse, sku, -quantity FROM movements WHERE crdb_region = $1 AND kind = 'sold'`,
	scan: func(row pgx.CollectableRow) (saga string, part chain, err error) {
		var sold contract.Allocation
		err = row.Scan(&saga, &sold.Region, &sold.Warehouse, &sold.SKU, &sold.Quantity)
		return saga, chain{Sold: []contract.Allocation{sold}}, err
	},
}

var returns = source{
	what: "returns", service: contract.ServiceInventory, saga: "saga_id",
	query: `SELECT saga_id, allocations FROM returns WHERE crdb_region = $1`,
	scan: func(row pgx.CollectableRow) (saga string, part chain, err error) {
		var body []byte
		if err := row.Scan(&saga, &body); err != nil {
			return "", chain{}, err
		}
		return saga, part, json.Unmarshal(body, &part.Returned)
	},
}
