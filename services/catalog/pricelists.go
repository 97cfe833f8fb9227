package catalog

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/replication/outbox"
)

// createPriceList adds a list without prices: 5 round trips, 1 commit.
func (s *Service) createPriceList(ctx context.Context, input contract.PriceListInput) (contract.PriceList, error) {
	normal, err := s.normalizePriceList(input)
	if err != nil {
		return contract.PriceList{}, err
	}
	now := s.moment()
	made := contract.PriceList{ID: s.newID(priceListKind)(), PriceListInput: normal, Version: 1, CreatedAt: now, UpdatedAt: now}
	err = s.store.inTx(ctx, func(tx pgx.Tx) error {
		// Two at once may both find room for the last one: a bound on what reads cost, which one more list does not change.
		existing, err := priceLists(ctx, tx)
		if err != nil {
			return err
		}
		if len(existing) >= MaxPriceLists {
			return contract.Errorf(contract.CodeConflict, "there are %d price lists already, which is the most there can be", MaxPriceLists)
		}
		if err := writePriceList(ctx, tx, addPriceList, made); err != nil {
			return err
		}
		return s.writer.Append(ctx, tx, priceListWritten(made, nil))
	})
	return s.listWritten(made, outcomeCreated, err)
}

// replacePriceList writes a list anew, but for its prices, if ifMatch (empty for any) names what is stored: 5 round trips, 1 commit. Its
// currency stays: 1999 cents are not 1999 yen.
func (s *Service) replacePriceList(ctx context.Context, id, ifMatch string, input contract.PriceListInput) (contract.PriceList, error) {
	normal, err := s.normalizePriceList(input)
	if err != nil {
		return contract.PriceList{}, err
	}
	var written contract.PriceList
	outcome := outcomeUnchanged
	err = s.store.inTx(ctx, func(tx pgx.Tx) error {
		written, outcome, err = contract.PriceList{}, outcomeUnchanged, nil
		if written, err = onePriceList(ctx, tx, lockPriceList, id); err != nil {
			return err
		}
		if err := checkMatch(ifMatch, recordTag(written.ID, written.Version)); err != nil {
			return err
		}
		if normal.Currency != written.Currency {
			return contract.Invalid("currency", "a price list's currency cannot change; %s stays", written.Currency)
		}
		if samePriceList(normal, written.PriceListInput) {
			return nil
		}
		outcome, written.PriceListInput, written.Version, written.UpdatedAt = outcomeUpdated, normal, written.Version+1, s.moment()
		if err := writePriceList(ctx, tx, changePriceList, written); err != nil {
			return err
		}
		return s.writer.Append(ctx, tx, priceListWritten(written, nil))
	})
	return s.listWritten(written, outcome, err)
}

// removePriceList deletes a list with its prices, if ifMatch (empty for any) names what is stored.
func (s *Service) removePriceList(ctx context.Context, id, ifMatch string) error {
	err := s.store.inTx(ctx, func(tx pgx.Tx) error {
		gone, err := onePriceList(ctx, tx, lockPriceList, id)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, recordTag(gone.ID, gone.Version)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deletePriceList, id); err != nil {
			return err
		}
		gone.Version++
		farewell := priceListWritten(gone, nil)
		change, _ := farewell.Data.(contract.PriceListChange)
		change.Deleted = true
		farewell.Data = change
		return s.writer.Append(ctx, tx, farewell)
	})
	_, err = s.listWritten(contract.PriceList{}, "deleted", err)
	return err
}

// writePrices sets and removes prices of a list, if ifMatch (empty for any) names what is stored: 5 round trips and 1 commit whatever
// their number. One that is refused is told so by itself; the others are written.
func (s *Service) writePrices(ctx context.Context, id, ifMatch string, items []unread[contract.ListPrice]) (contract.PriceList, []contract.ListPriceResult, error) {
	results := make([]contract.ListPriceResult, len(items))
	var wishes []contract.ListPrice
	var places []int
	for i, item := range items {
		wish, err := s.listPrices.read(item.RawMessage)
		if err == nil {
			err = checkListPrice(wish)
		}
		if err != nil {
			results[i] = priceRefusal(wish.SKU, err)
			continue
		}
		wishes, places = append(wishes, wish), append(places, i)
	}
	var written contract.PriceList
	var judged []contract.ListPriceResult
	outcome := outcomeUnchanged
	err := s.store.inTx(ctx, func(tx pgx.Tx) error {
		state, err := lockListState(ctx, tx, id, wishes)
		if err != nil {
			return err
		}
		written, outcome = state.list, outcomeUnchanged
		if err := checkMatch(ifMatch, recordTag(written.ID, written.Version)); err != nil {
			return err
		}
		var change listChange
		change, judged = state.judgePrices(wishes)
		if change.empty() {
			return nil
		}
		outcome, written.Version, written.UpdatedAt = outcomeUpdated, written.Version+1, s.moment()
		if err := writeListPrices(ctx, tx, written, change); err != nil {
			return err
		}
		if len(change.products) == 0 { // of SKUs that are sold no more
			return nil
		}
		return s.writer.Append(ctx, tx, priceListWritten(written, change.products))
	})
	for i, result := range judged {
		results[places[i]] = result
	}
	written, err = s.listWritten(written, outcome, err)
	return written, results, err
}

// listWritten counts a write that succeeded and lets its event be sent.
func (s *Service) listWritten(list contract.PriceList, outcome string, err error) (contract.PriceList, error) {
	if err != nil {
		return contract.PriceList{}, err
	}
	s.writer.Wake()
	s.written.WithLabelValues("price list", outcome).Inc()
	return list, nil
}

// priceListWritten announces a list; products are those whose prices may be different, nil for any of its currency.
func priceListWritten(l contract.PriceList, products []string) outbox.Draft {
	return outbox.Draft{
		Topic: contract.TopicProducts, Type: contract.PriceListChanged, Aggregate: l.ID, Version: l.Version,
		Data: contract.PriceListChange{ListID: l.ID, Currency: l.Currency, Region: l.Region, StartsAt: l.StartsAt, EndsAt: l.EndsAt, Products: products},
	}
}

// priceRefusal tells why one price of a list was not written.
func priceRefusal(sku string, err error) contract.ListPriceResult {
	result := contract.ListPriceResult{SKU: sku, Outcome: outcomeRefused, Reason: err.Error()}
	var typed *contract.Error
	if errors.As(err, &typed) {
		result.Reason, result.Field = typed.Message, typed.Field
	}
	return result
}
