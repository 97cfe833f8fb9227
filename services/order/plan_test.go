package order

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// seeds fill the tables, because on empty ones any index is as good as another.
var seeds = []string{
	`INSERT INTO orders (crdb_region, id, number, saga_id, cart_id, cart_version, owner_hash, status, reason, version, quote, payment_id, email,
		shipping_address, answer_status, answer_body, created_at, updated_at)
	SELECT 'us-east', 'ord' || n, 'N' || n, 'sga' || n, 'crt' || n, 1, ''::BYTEA, 'confirmed', '', 2, '{}', '', '', '{}', 0, ''::BYTEA, now(), now()
	FROM generate_series(1, 3000) AS g(n)`,
	`UPDATE orders SET user_id = 'usr' || id`,
	`INSERT INTO sagas (crdb_region, id, cart_id, idempotency_key, request_hash, order_id, state, direction, step, epoch, lease_holder, lease_until,
		deadline, payment_token, created_at, finished_at)
	SELECT 'us-east', 'sga' || n, 'crt' || n, 'key', ''::BYTEA, 'ord' || n, CASE WHEN n > 2000 THEN 'running' ELSE 'confirmed' END, 'forward', 'reserve', 1, '',
		now() + n * INTERVAL '1 second', now(), '', now(), CASE WHEN n > 2000 THEN NULL ELSE now() END
	FROM generate_series(1, 3000) AS g(n)`,
	`INSERT INTO order_tasks (crdb_region, id, order_id, saga_id, kind, request, attempts, due_at, created_at)
	SELECT 'us-east', 'tsk' || n, 'ord' || n, 'sga' || n, 'refund', '{}', 0, now(), now() FROM generate_series(1, 3000) AS g(n)`,
	`INSERT INTO order_actions (crdb_region, order_id, idempotency_key, request_hash, answer, order_version, created_at)
	SELECT 'us-east', 'ord' || n, 'key', ''::BYTEA, ''::BYTEA, 3, now() FROM generate_series(1, 3000) AS g(n)`,
	`INSERT INTO order_archive (crdb_region, id, number, saga_id, cart_id, owner_hash, user_id, status, created_at, file, block_offset, block_length)
	SELECT 'us-east', 'old' || n, 'O' || n, 'sgo' || n, 'crt' || n, ''::BYTEA, 'usr' || n, 'confirmed', now(), 'f', 0, 0 FROM generate_series(1, 3000) AS g(n)`,
	`INSERT INTO saga_steps (crdb_region, saga_id, epoch, seq, step, outcome, at)
	SELECT 'us-east', 'sga' || n, 1, s, 'open', 'opened', now() FROM generate_series(1, 3000) AS g(n), generate_series(1, 4) AS h(s)`,
	`INSERT INTO promotions (id, code, home, terms, version, created_at, updated_at)
	SELECT 'prm' || n, 'C' || n, 'us-east', '{}', 1, now(), now() FROM generate_series(1, 3000) AS g(n)`,
	`INSERT INTO promotion_uses (crdb_region, promotion_id, customer, used, use_limit)
	SELECT 'us-east', 'prm' || n, '', 1, 9 FROM generate_series(1, 3000) AS g(n)`,
	`INSERT INTO promotion_redemptions (crdb_region, order_id, promotion_id, customer, home)
	SELECT 'us-east', 'ord' || n, 'prm' || n, '', 'us-east' FROM generate_series(1, 3000) AS g(n)`,
}

func TestHotQueriesUseTheirIndexes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, seed := range seeds {
		if _, err := b.db.Exec(t.Context(), seed); err != nil {
			t.Fatal(err)
		}
	}
	for name, query := range map[string]struct {
		sql   string
		index string
		args  []any
	}{
		"the saga of a key":              {selectByKey, "sagas_key", []any{"us-east", "crt", "key"}},
		"an order":                       {selectOrder, "orders_pkey", []any{"us-east", "ord"}},
		"its history":                    {selectOrder, "saga_steps_pkey", []any{"us-east", "ord"}},
		"an order and what became of it": {selectWhole, "order_returns_pkey", []any{"us-east", "ord"}},
		"an order by its number":         {selectNumbered, "orders_number", []any{[]string{"us-east", "eu-west", "ap-southeast"}, "N1"}},
		"the orders of a status": {
			selectByStatus, "orders_by_status", []any{[]string{"us-east", "eu-west", "ap-southeast"}, []string{"confirmed", "fulfilled"}, time.Now(), "", 20},
		},
		"old orders":               {selectOld, "orders_by_status", []any{"us-east", archivable(), time.Now(), 500}},
		"an action's repeat":       {selectAction, "order_actions_pkey", []any{"us-east", "ord1", "key"}},
		"old answers":              {forgetOld, "order_actions_to_forget", []any{"us-east", time.Now(), 500}},
		"tasks that are due":       {takeDue, "order_tasks_due", []any{[]string{"us-east"}, time.Now().Add(-time.Hour), time.Now(), 20}},
		"an archived order":        {selectArchived, "order_archive_pkey", []any{"us-east", "old1"}},
		"one by its number":        {selectArchivedNumbered, "order_archive_number", []any{[]string{"us-east", "eu-west", "ap-southeast"}, "O1"}},
		"a cart's archived orders": {selectArchivedOfCart, "order_archive_of_cart", []any{"us-east", "crt1", afterEveryID, 20}},
		"a user's archived orders": {selectArchivedOfUser, "order_archive_of_user", []any{[]string{"us-east", "eu-west", "ap-southeast"}, "usr1", time.Now(), "", 20}},
		"a cart's orders":          {selectOfCart, "orders_of_cart", []any{"us-east", "crt", afterEveryID, 20}},
		"a user's orders":          {selectOfUser, "orders_of_user", []any{[]string{"us-east", "eu-west", "ap-southeast"}, "usr", time.Now(), "", 20}},
		"a cart's next order":      {selectFollowing, "orders_follow_once", []any{"us-east", "crt", "ord"}},
		"abandoned sagas":          {claimExpired, "sagas_to_take_over", []any{"us-east", "me", 3.0, 32, 1.0}},
		// Its key, or the few that are running: whichever the planner deems fewer.
		"one abandoned saga":   {claimSaga, "sagas_", []any{"us-east", "sga", "me", 3.0}},
		"offers of a quote":    {selectOffered, "promotions_offered", []any{[]string{"", "C1"}, "usr", time.Now()}},
		"their uses":           {selectOffered, "promotion_uses_pkey", []any{[]string{"", "C1"}, "usr", time.Now()}},
		"a promotion":          {selectPromotion, "promotions_pkey", []any{"prm"}},
		"a page of promotions": {selectPromotions, "promotions_pkey", []any{afterEveryPromotion, 20}},
		"uses given back":      {`WITH held AS (SELECT $2::TEXT AS order_id)` + givingBack + ` SELECT count(*) FROM uncounted`, "promotion_redemptions_pkey", []any{"us-east", "ord"}},
		"keys past their time": {forgetEnded, "sagas_to_forget", []any{"us-east", time.Now(), 500}},
	} {
		var plan []string
		err := b.db.InTx(t.Context(), func(tx pgx.Tx) error {
			// Without statistics the planner may take a few thousand rows for a few.
			if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
				return err
			}
			rows, err := tx.Query(t.Context(), `EXPLAIN `+query.sql, query.args...)
			if err != nil {
				return err
			}
			plan, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := strings.Join(plan, "\n")
		if !strings.Contains(text, query.index) || strings.Contains(text, "Seq Scan") {
			t.Errorf("%s does not use %s:\n%s", name, query.index, text)
		}
	}
}
