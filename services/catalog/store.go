package catalog

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// store is the catalog's SQL. All its tables but the outbox are GLOBAL: read from nearby in every region, written seldom.
type store struct{ db *sqldb.DB }

// errRaced says that another transaction took a slug or a SKU between our look and our write; looking again names it.
var errRaced = errors.New("another write took a slug or a SKU meanwhile")

const raceRetries = 3

// inTx runs a write, again when it lost a race. A commit whose outcome is unknown is told as such: only the caller knows whether
// writing the same again is right.
func (s *store) inTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.db.InTx(ctx, fn)
		switch {
		case errors.Is(err, errRaced) && attempt < raceRetries:
			continue
		case errors.Is(err, errRaced):
			return contract.Errorf(contract.CodeConflict, "others are writing the same products; try again")
		case errors.Is(err, sqldb.ErrAmbiguousCommit):
			return contract.Unavailable(err, "the connection was lost while writing; read again to see whether it took effect")
		default:
			return err
		}
	}
}

// bandRank orders bands from best to worst in SQL, where min() finds a product's best. bandOf reads it back.
const bandRank = `min(CASE b.band WHEN 'in_stock' THEN 0 WHEN 'low' THEN 1 ELSE 2 END)`

func bandOf(rank *int64) contract.Band {
	switch {
	case rank == nil || *rank >= 2:
		return contract.BandOut
	case *rank == 1:
		return contract.BandLow
	default:
		return contract.BandInStock
	}
}

// moneyOf gives a price, nil when there is none.
func moneyOf(amount *int64, currency string) *contract.Money {
	if amount == nil {
		return nil
	}
	return &contract.Money{Amount: *amount, Currency: currency}
}
