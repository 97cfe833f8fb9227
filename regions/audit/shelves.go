package audit

import (
	"context"
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// shelves compares, for every SKU in every warehouse, what is on hand with its movements and what is reserved with the holds.
type shelves struct {
	db      *sqldb.DB
	regions []string
	counts  *counter
}

var (
	onHandCheck   = Check{"on_hand_not_movements", "What is on hand of a SKU in a warehouse is the sum of its movements."}
	reservedCheck = Check{"reserved_not_lines", "What is reserved of a SKU in a warehouse is the sum of the lines of live holds."}
	oversoldCheck = Check{"stock_oversold", "0 ≤ reserved ≤ on hand, in every row of stock."}
)

func shelfChecks() []Check { return []Check{onHandCheck, reservedCheck, oversoldCheck} }

// shelfSums lays stock, movements and lines side by side in one statement, so that all three are of one moment. Buckets of a shelf are
// added up; the worst bucket is the one that says whether it is oversold.
const shelfSums = `
	WITH held AS (
		SELECT sku, warehouse, sum(on_hand) AS on_hand, sum(reserved) AS reserved, min(least(reserved, on_hand - reserved)) AS worst
		FROM stock WHERE crdb_region = $1 %[1]s GROUP BY sku, warehouse
	), moved AS (
		SELECT sku, warehouse, sum(quantity) AS quantity FROM movements WHERE crdb_region = $1 %[1]s GROUP BY sku, warehouse
	), bound AS (
		SELECT sku, warehouse, sum(quantity) AS quantity FROM reservation_lines WHERE crdb_region = $1 %[1]s GROUP BY sku, warehouse
	)
	SELECT sku, warehouse, COALESCE(held.on_hand, 0)::INT8, COALESCE(held.reserved, 0)::INT8, COALESCE(held.worst, 0)::INT8,
		COALESCE(moved.quantity, 0)::INT8, COALESCE(bound.quantity, 0)::INT8
	FROM held FULL JOIN moved USING (sku, warehouse) FULL JOIN bound USING (sku, warehouse)`

func (s *shelves) examine(ctx context.Context, only []string, found func(Violation)) error {
	condition := ""
	if only != nil {
		condition = `AND sku = ANY($2)`
	}
	for _, region := range s.regions {
		args := []any{region}
		if only != nil {
			args = append(args, only)
		}
		rows, err := s.db.Query(ctx, fmt.Sprintf(shelfSums, condition), args...)
		if err != nil {
			return unreadable(contract.ServiceInventory, err)
		}
		for rows.Next() {
			sums := shelfSum{shelf: shelf{Region: region}}
			if err := rows.Scan(&sums.SKU, &sums.Warehouse, &sums.onHand, &sums.reserved, &sums.worst, &sums.moved, &sums.bound); err != nil {
				rows.Close()
				return unreadable(contract.ServiceInventory, err)
			}
			if only == nil {
				s.counts.add("shelves", 1)
			}
			sums.judge(found)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return unreadable(contract.ServiceInventory, err)
		}
	}
	return nil
}

// shelfSum is a shelf in three books. worst is, over its buckets, the least of what is reserved and what is not.
type shelfSum struct {
	shelf
	onHand, reserved, worst, moved, bound int64
}

func (s shelfSum) judge(found func(Violation)) {
	note := func(check Check, fact int64, format string, args ...any) {
		found(Violation{
			Code: check.code, What: fmt.Sprintf("%s in %s: ", s.SKU, s.Warehouse) + fmt.Sprintf(format, args...), IDs: []string{s.SKU, s.Warehouse, s.Region},
			// A shelf that sells goes on changing; by how much it is wrong does not.
			fact: fmt.Sprint(fact), examined: s.SKU,
		})
	}
	if s.onHand != s.moved {
		note(onHandCheck, s.onHand-s.moved, "%d are on hand, but its movements add up to %d.", s.onHand, s.moved)
	}
	if s.reserved != s.bound {
		note(reservedCheck, s.reserved-s.bound, "%d are reserved, but live holds bind %d.", s.reserved, s.bound)
	}
	if s.worst < 0 {
		note(oversoldCheck, s.worst, "%d are reserved of %d on hand, and a row of it is beyond its bounds by %d.", s.reserved, s.onHand, -s.worst)
	}
}
