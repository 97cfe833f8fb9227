package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/services/order/archive"
)

const (
	// archiveBatch is how many orders one file takes at most.
	archiveBatch = 500
	// leftoverAfter is how long a file may be under way before it is of a process that has died.
	leftoverAfter = time.Hour
)

// archiver moves old orders of its region into files. Each step may be the last: a file that no order was moved into is written down
// beforehand and removed later, and an order is deleted in the transaction that says where it is now, after its file was read back.
type archiver struct {
	store   *store
	archive *archive.Archive
	region  contract.Region
	config  Config
	now     func() time.Time
	log     *slog.Logger
}

// archived is an order's document in a file. Its owner's hash stays in SQL.
type archived struct {
	Order       contract.Order `json:"order"`
	SagaID      string         `json:"saga_id"`
	CartID      string         `json:"cart_id"`
	CartVersion int64          `json:"cart_version"`
	UserID      string         `json:"user_id,omitempty"`
	Version     int64          `json:"version"`
}

func documentOf(order placed) (archive.Document, error) {
	text, err := json.Marshal(archived{
		Order: order.Order, SagaID: order.sagaID, CartID: order.cartID, CartVersion: order.cartVersion, UserID: order.userID, Version: order.version,
	})
	if err != nil {
		return archive.Document{}, fmt.Errorf("encode %s for the archive: %w", order.ID, err)
	}
	return archive.Document{ID: order.ID, JSON: text}, nil
}

// task does one pass. What fails is logged and tried again at the next.
func (a archiver) task(ctx context.Context) error {
	if err := a.pass(ctx); err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "Old orders could not be archived; it will be tried again.", "error", err.Error())
	}
	return nil
}

// pass removes what crashes left, forgets what need not be remembered, and archives until nothing is old enough. An order is not
// archived while its checkout's key is remembered: the answer is kept with the order.
func (a archiver) pass(ctx context.Context) error {
	if err := a.clear(ctx); err != nil {
		return err
	}
	for gone := int64(forgetBatch); gone == forgetBatch; {
		var err error
		if gone, err = a.store.forget(ctx, a.region.Name, a.now().Add(-a.config.Keep), forgetBatch); err != nil {
			return err
		}
	}
	for {
		old, err := a.store.oldOrders(ctx, a.region.Name, a.now().Add(-a.config.AfterSale.ArchiveAfter), archiveBatch)
		if err != nil || len(old) == 0 {
			return err
		}
		moved := 0
		for month, orders := range byMonth(old) {
			n, err := a.move(ctx, month, orders)
			if err != nil {
				return err
			}
			moved += n
		}
		if moved == 0 {
			return nil
		}
		a.log.InfoContext(ctx, "Old orders were archived.", "orders", moved)
	}
}

// byMonth groups orders by the month in which they were made.
func byMonth(orders []placed) map[string][]placed {
	months := map[string][]placed{}
	for _, order := range orders {
		month := order.CreatedAt.UTC().Format("2006-01")
		months[month] = append(months[month], order)
	}
	return months
}

// move writes one file and moves its orders there; it says how many. Those that were changed meanwhile stay.
func (a archiver) move(ctx context.Context, month string, orders []placed) (int, error) {
	file := path.Join(a.region.Name, month, geo.NewID("arc", a.region.Code)+".jsonl.zst")
	documents := make([]archive.Document, 0, len(orders))
	for _, order := range orders {
		document, err := documentOf(order)
		if err != nil {
			return 0, err
		}
		documents = append(documents, document)
	}
	// Whoever takes longer may find the file removed, and must not write it after that.
	ctx, cancel := context.WithTimeout(ctx, leftoverAfter/2)
	defer cancel()
	if err := a.store.beginFile(ctx, a.region.Name, file, a.now()); err != nil {
		return 0, err
	}
	at, err := a.archive.Write(ctx, file, documents)
	if err != nil {
		return 0, err
	}
	return a.store.moveOrders(ctx, a.region.Name, file, orders, at)
}

// clear removes the files of archivers that died: first it is committed that nothing will be moved there, then the file goes, then its
// line in the list.
func (a archiver) clear(ctx context.Context) error {
	files, err := a.store.leftoverFiles(ctx, a.region.Name, a.now().Add(-leftoverAfter))
	if err != nil {
		return err
	}
	for _, file := range files {
		given, err := a.store.giveFileUp(ctx, a.region.Name, file)
		if err != nil {
			return err
		}
		if !given {
			continue // an archiver that was only slow has just moved its orders
		}
		if err := a.archive.Delete(ctx, file); err != nil {
			return err
		}
		if err := a.store.endFile(ctx, a.region.Name, file); err != nil {
			return err
		}
	}
	return nil
}

// readArchived gives the order of an index entry.
func (s *Service) readArchived(ctx context.Context, entry archivedAt) (placed, error) {
	if s.archive == nil {
		return placed{}, contract.Errorf(contract.CodeUnavailable, "old orders can not be read here")
	}
	text, err := s.archive.Read(ctx, entry.file, entry.at, entry.id)
	if err != nil {
		return placed{}, contract.Unavailable(err, "the order is in the archive, which does not answer")
	}
	var kept archived
	if err := json.Unmarshal(text, &kept); err != nil {
		return placed{}, fmt.Errorf("read %s from the archive: %w", entry.id, err)
	}
	order := placed{Order: kept.Order, sagaID: kept.SagaID, cartID: kept.CartID, cartVersion: kept.CartVersion, userID: kept.UserID, version: kept.Version, owner: entry.owner}
	if order.ID != entry.id {
		return placed{}, errors.New("the archive gave another order than was asked for")
	}
	return order, nil
}
