package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// sagas lays together, saga by saga, what the databases and the provider hold, and judges it. The sources are read one after another
// and sorted by saga outside memory.
type sagas struct {
	config Config
	counts *counter
}

func (s *sagas) examine(ctx context.Context, only []string, found func(Violation)) (err error) {
	sorted := newSpool(s.config.SpoolFolder, s.config.SpoolBytes)
	defer func() { err = errors.Join(err, sorted.close()) }()
	add := func(what, saga string, part chain) error {
		if only == nil {
			s.counts.add(what, 1)
		}
		body, err := json.Marshal(part)
		if err != nil {
			return fmt.Errorf("encode %s: %w", what, err)
		}
		return sorted.add(saga, body)
	}
	for _, source := range sources() {
		db := s.config.Databases[source.service]
		for _, region := range s.config.Regions {
			if err := source.read(ctx, db, region, only, add); err != nil {
				return unreadable(source.service, err)
			}
		}
	}
	if err := readLedger(ctx, s.config.Ledger, only, add); err != nil {
		return err
	}
	return eachChain(sorted, func(c *chain) { judge(c, found) })
}

// eachChain gives every saga's chain.
func eachChain(sorted *spool, visit func(*chain)) error {
	var current *chain
	err := sorted.each(func(saga string, body []byte) error {
		var part chain
		if err := json.Unmarshal(body, &part); err != nil {
			return fmt.Errorf("read a spooled record: %w", err)
		}
		if current == nil || current.saga != saga {
			if current != nil {
				visit(current)
			}
			current = &chain{saga: saga}
		}
		current.add(part)
		return nil
	})
	if err == nil && current != nil {
		visit(current)
	}
	return err
}

// judge applies every rule to a chain.
func judge(c *chain, found func(Violation)) {
	for _, r := range rules() {
		for _, b := range r.breaks(c) {
			ids := b.ids
			if c.saga != "" {
				ids = append(ids, c.saga)
			}
			found(Violation{Code: r.code, What: b.what, IDs: ids, examined: c.saga})
		}
	}
}

// rule is a check of a chain.
type rule struct {
	Check
	breaks func(*chain) []broken
}

// broken is how a rule is broken and by what; the saga's id is added to the ids.
type broken struct {
	what string
	ids  []string
}

func breach(what string, ids ...string) []broken { return []broken{{what, ids}} }

// rules lists every check of a chain.
func rules() []rule {
	var all []rule
	for _, some := range [][]rule{orderRules(), sagaRules(), paymentRules(), ledgerRules(), refundRules(), reservationRules(), saleRules()} {
		all = append(all, some...)
	}
	return all
}
