package audit

import "github.com/meridian-store/meridian/contract"

// Role is the SQL role that an audit reads as. It may read what Reads lists and nothing else.
const Role = "meridian_audit"

// Reads lists what an audit reads, by service, table and column: nothing personal is among it. CockroachDB has no rights on columns;
// there the role may read the whole tables.
func Reads() map[string]map[string][]string {
	return map[string]map[string][]string{
		contract.ServiceOrder: {
			"outbox":                outboxColumns(),
			"orders":                {"crdb_region", "id", "saga_id", "cart_id", "follows", "status", "answer_status", "payment_id", "quote"},
			"order_archive":         {"crdb_region", "id", "saga_id", "status"},
			"order_refunds":         {"crdb_region", "order_id", "id", "amount", "currency", "state"},
			"promotion_uses":        {"crdb_region", "promotion_id", "customer", "used", "use_limit"},
			"promotion_redemptions": {"crdb_region", "order_id", "promotion_id", "customer", "home"},
			"sagas":                 {"crdb_region", "id", "cart_id", "idempotency_key", "order_id", "state", "deadline", "payment_token"},
		},
		contract.ServicePayment: {
			"outbox":   outboxColumns(),
			"payments": {"crdb_region", "saga_id", "id", "order_id", "state", "amount", "currency", "refunded"},
			"refunds":  {"crdb_region", "saga_id", "id", "state", "amount", "currency"},
		},
		contract.ServiceInventory: {
			"outbox":            outboxColumns(),
			"stock":             {"crdb_region", "sku", "warehouse", "on_hand", "reserved"},
			"movements":         {"crdb_region", "sku", "warehouse", "kind", "reference", "quantity"},
			"reservations":      {"crdb_region", "saga_id", "state", "allocations"},
			"reservation_lines": {"crdb_region", "saga_id", "sku", "warehouse", "quantity"},
			"returns":           {"crdb_region", "saga_id", "return_id", "allocations"},
		},
		contract.ServiceCatalog: {"outbox": outboxColumns()},
	}
}

func outboxColumns() []string { return []string{"crdb_region", "topic", "aggregate", "created_at"} }
