package order

import (
	"cmp"
	"context"
	"slices"

	"github.com/meridian-store/meridian/contract"
)

// findOrder reads an order for whoever may see it, from the database or from the archive. Who may not learns no more than that there is
// no such order, and the archive's files are not read for them.
func (s *Service) findOrder(ctx context.Context, id string, may func(placed) error) (placed, error) {
	home, err := s.homeOfOrder(id)
	if err != nil {
		return placed{}, err
	}
	order, err := s.store.whole(ctx, home, id)
	if err == nil {
		return order, may(order)
	}
	if contract.CodeOf(err) != contract.CodeNotFound {
		return placed{}, err
	}
	entries, err := s.store.archivedOrder(ctx, home, id)
	if err != nil {
		return placed{}, err
	}
	if len(entries) == 0 {
		return placed{}, errNoOrder()
	}
	if err := may(entries[0].stub()); err != nil {
		return placed{}, err
	}
	return s.readArchived(ctx, entries[0])
}

// stub is as much of an archived order as its index tells.
func (a archivedAt) stub() placed {
	return placed{Order: contract.Order{ID: a.id, CreatedAt: a.createdAt}, owner: a.owner, userID: a.userID}
}

// listed is an order of a list that is kept in two places.
type listed struct {
	placed
	// archived says where the rest of it is; nil when it is all there.
	archived *archivedAt
}

// merge puts a list's two parts in one, without those that moved to the archive between the two reads.
func merge(live []placed, kept []archivedAt, newerFirst func(a, b placed) int, limit int) []listed {
	all := make([]listed, 0, len(live)+len(kept))
	for _, order := range live {
		all = append(all, listed{placed: order})
	}
	for _, entry := range kept {
		if !slices.ContainsFunc(live, func(order placed) bool { return order.ID == entry.id }) {
			all = append(all, listed{placed: entry.stub(), archived: &entry})
		}
	}
	slices.SortFunc(all, func(a, b listed) int { return newerFirst(a.placed, b.placed) })
	return all[:min(limit, len(all))]
}

func byID(a, b placed) int { return cmp.Compare(b.ID, a.ID) }

func byTime(a, b placed) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
}

// fill reads what of a page is in the archive.
func (s *Service) fill(ctx context.Context, page []listed) ([]contract.Order, error) {
	orders := make([]contract.Order, 0, len(page))
	for _, item := range page {
		if item.archived != nil {
			var err error
			if item.placed, err = s.readArchived(ctx, *item.archived); err != nil {
				return nil, err
			}
		}
		orders = append(orders, item.Order)
	}
	return orders, nil
}

// homeNames are all regions' names.
func (s *Service) homeNames() []string {
	names := make([]string, 0, len(s.regions))
	for _, region := range s.regions {
		names = append(names, region.Name)
	}
	return names
}
