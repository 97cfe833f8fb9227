package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/sqldb"
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

// setBands notes what the inventory said of SKUs, unless something newer is known: one round trip, one commit, whatever their number.
func (s *store) setBands(ctx context.Context, changes []contract.BandChange) error {
	if len(changes) == 0 {
		return nil
	}
	newest := newestBands(changes)
	skus, bands, versions := make([]string, len(newest)), make([]string, len(newest)), make([]int64, len(newest))
	for i, change := range newest {
		skus[i], bands[i], versions[i] = change.SKU, string(change.Band), change.Version
	}
	_, err := s.db.Exec(ctx, `
		INSERT INTO bands (sku, band, version)
		SELECT sku, band, version FROM unnest($1::TEXT[], $2::TEXT[], $3::INT8[]) AS d(sku, band, version)
		ON CONFLICT (sku) DO UPDATE SET band = excluded.band, version = excluded.version
		WHERE bands.version < excluded.version`, skus, bands, versions)
	if err != nil {
		return fmt.Errorf("set the bands of %d SKUs: %w", len(newest), err)
	}
	return nil
}

// newestBands keeps of each SKU what one after the other would have left, for a statement must not touch a row twice; in the order of the
// SKUs, so that the regions, which all write this table, wait for each other and do not lock each other out.
func newestBands(changes []contract.BandChange) []contract.BandChange {
	newest := map[string]contract.BandChange{}
	for _, change := range changes {
		if known, before := newest[change.SKU]; !before || known.Version < change.Version {
			newest[change.SKU] = change
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b contract.BandChange) int { return strings.Compare(a.SKU, b.SKU) })
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
