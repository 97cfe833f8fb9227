package order

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/replication/outbox"
	"github.com/meridian-store/meridian/services/order/archive"
)

func etagOf(order placed) string { return httpx.ETag("order", order.version) }

func matches(header string, order placed) bool { return httpx.Matches(header, etagOf(order)) }

// request is one thing asked of an order: which, by whom, under which key.
type request struct {
	orderID, key, ifMatch string
	// verb and body are what is asked; the same key with others is refused.
	verb string
	body any
	may  func(placed) error
}

// act does what was asked once for each key.
func (s *Service) act(ctx context.Context, asked request, decide func(author) (deed, error)) (acted, error) {
	if err := validateKey(asked.key); err != nil {
		return acted{}, err
	}
	home, err := s.homeOfOrder(asked.orderID)
	if err != nil {
		return acted{}, err
	}
	body, err := json.Marshal(asked.body)
	if err != nil {
		return acted{}, fmt.Errorf("write the request in its canonical form: %w", err)
	}
	hash := sha256.Sum256(append([]byte(asked.verb+"\n"), body...))
	done, err := s.store.act(ctx, s.orchestrator.writer, action{
		home: home, orderID: asked.orderID, key: asked.key, hash: hash[:], may: asked.may, ifMatch: asked.ifMatch, decide: decide,
	}, s.now())
	if contract.CodeOf(err) == contract.CodeNotFound {
		return acted{}, s.whyNotThere(ctx, home, asked, err)
	}
	if err != nil {
		return acted{}, err
	}
	s.tasks.wake()
	return done, nil
}

// homeOfOrder gives the region whose rows hold an order; contract.CodeNotFound when no order has such an id.
func (s *Service) homeOfOrder(id string) (string, error) {
	parsed, err := geo.ParseID(id)
	home, known := s.homes[parsed.Region]
	if err != nil || parsed.Kind != "ord" || !known {
		return "", errNoOrder()
	}
	return home, nil
}

// whyNotThere tells whoever may see an archived order that it can not be changed any more.
func (s *Service) whyNotThere(ctx context.Context, home string, asked request, notFound error) error {
	entries, err := s.store.archivedOrder(ctx, home, asked.orderID)
	if err != nil {
		return err
	}
	if len(entries) == 0 || asked.may(entries[0].stub()) != nil {
		return notFound
	}
	return contract.Errorf(contract.CodeConflict, "the order is in the archive and can not be changed any more")
}

// followSales starts what goes on after a sale: the tasks that deeds leave to do, and the archive.
func (s *Service) followSales(base *kit.Base, writer *outbox.Writer) error {
	config := s.config.AfterSale
	s.tasks = &tasks{
		store: s.store, neighbours: s.neighbours, writer: writer, now: base.Now, log: base.Log, metrics: newTaskMetrics(base.Registry),
		lease: taskFailures * (s.config.Provider + answerMargin), woken: make(chan struct{}, 1),
	}
	s.loops = append(s.loops,
		kit.Loop{Name: "do tasks after sales", Run: s.tasks.loop(config.Tasks, taskGrace, base)},
		kit.Loop{Name: "forget answers", Run: kit.Every(forgetEvery, s.forgetActions)},
	)
	if config.ArchiveDir == "" {
		return nil
	}
	kept, err := archive.New(archive.NewFolder(config.ArchiveDir))
	if err != nil {
		return err
	}
	s.archive = kept
	archives := archiver{store: s.store, archive: kept, region: base.Region, config: s.config, now: base.Now, log: base.Log}
	s.loops = append(s.loops, kit.Loop{Name: "archive orders", Run: kit.Every(config.Archive, archives.task)})
	return nil
}

// forgetActions drops answers that need not be repeated any more.
func (s *Service) forgetActions(ctx context.Context) error {
	for gone := int64(forgetBatch); gone == forgetBatch; {
		var err error
		if gone, err = s.store.forgetActions(ctx, s.region.Name, s.now().Add(-s.config.Keep), forgetBatch); err != nil {
			return err
		}
	}
	return nil
}
