package order

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/services/order/archive"
)

// faulty is a store that stops working at a step, as a full disk or the death of the process would have it.
type faulty struct {
	archive.Store
	put, putAfter, get, remove error
}

func (f *faulty) Put(ctx context.Context, name string, content []byte) error {
	if f.put != nil {
		return f.put
	}
	return errors.Join(f.Store.Put(ctx, name, content), f.putAfter)
}

func (f *faulty) Get(ctx context.Context, name string, offset, length int64) ([]byte, error) {
	if f.get != nil {
		return nil, f.get
	}
	return f.Store.Get(ctx, name, offset, length)
}

func (f *faulty) Delete(ctx context.Context, name string) error {
	if f.remove != nil {
		return f.remove
	}
	return f.Store.Delete(ctx, name)
}

// attic is an archiver over a bench, with its clock and its disk in the test's hands.
type attic struct {
	bench
	archiver
	service *Service
	disk    *faulty
	clock   time.Time
}

const year = 365 * 24 * time.Hour

func newAttic(t *testing.T) *attic {
	t.Helper()
	a := &attic{bench: newBench(t), disk: &faulty{Store: archive.NewFolder(t.TempDir())}, clock: time.Now().Add(3 * year)}
	kept, err := archive.New(a.disk)
	if err != nil {
		t.Fatal(err)
	}
	region := contract.Region{}
	region.Name, region.Code = "us-east", "use"
	config := quiet()
	config.AfterSale.ArchiveAfter = year
	a.archiver = archiver{
		store: a.bench.store, archive: kept, region: region, config: config, now: func() time.Time { return a.clock }, log: slog.New(slog.DiscardHandler),
	}
	a.service = &Service{region: region, regions: []contract.Region{region}, homes: map[string]string{"use": "us-east"}, store: a.bench.store, archive: kept, now: a.now}
	return a
}

// confirmed makes orders that were sold just now, three years before the archiver's clock.
func (a *attic) confirmed(t *testing.T, n int) []placed {
	t.Helper()
	orders := make([]placed, 0, n)
	for range n {
		s, order := a.place(t.Context(), t, 2)
		if err := a.end(t.Context(), s, order, stateConfirmed); err != nil {
			t.Fatal(err)
		}
		whole, err := a.whole(t.Context(), "us-east", order.ID)
		if err != nil {
			t.Fatal(err)
		}
		orders = append(orders, whole)
	}
	return orders
}

func (a *attic) count(t *testing.T, table string) (n int) {
	t.Helper()
	if err := a.db.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` WHERE crdb_region = 'us-east'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// answers checks that each order still reads as it did, wherever it is, and is in one place.
func (a *attic) answers(t *testing.T, orders []placed) {
	t.Helper()
	for _, want := range orders {
		got, err := a.service.findOrder(t.Context(), want.ID, anyone)
		// The answer of the checkout was forgotten with its key.
		want.answer, got.answer = answer{}, answer{}
		want.follows, got.follows = "", ""
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("it was\n%+v and is\n%+v (%v)", want, got, err)
		}
	}
	if live, kept := a.count(t, "orders"), a.count(t, "order_archive"); live+kept != len(orders) {
		t.Errorf("%d orders are %d in the database and %d in the archive", len(orders), live, kept)
	}
}

// tidy checks that there is no file that no order is in.
func (a *attic) tidy(t *testing.T) {
	t.Helper()
	objects, err := a.disk.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		var n int
		if err := a.db.QueryRow(t.Context(), `SELECT count(*) FROM order_archive WHERE crdb_region = 'us-east' AND file = $1`, object.Name).Scan(&n); err != nil || n == 0 {
			t.Errorf("%s holds no order (%v)", object.Name, err)
		}
	}
	if n := a.count(t, "order_archive_files"); n != 0 {
		t.Errorf("%d files are still under way", n)
	}
}

func TestAnArchivedOrderStillAnswers(t *testing.T) {
	t.Parallel()
	a := newAttic(t)
	orders := a.confirmed(t, 40)
	if err := a.pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if live, steps := a.count(t, "orders"), a.count(t, "saga_steps"); live != 0 || steps != 0 {
		t.Errorf("%d orders and %d steps stayed", live, steps)
	}
	a.answers(t, orders)
	a.tidy(t)
	objects, err := a.disk.List(t.Context(), "us-east/"+orders[0].CreatedAt.Format("2006-01")+"/")
	if err != nil || len(objects) != 1 {
		t.Fatalf("%+v (%v)", objects, err)
	}
	t.Logf("%d orders take %d bytes, %d each", len(orders), objects[0].Size, objects[0].Size/int64(len(orders)))
}

// Wherever the disk or the process gives up, each order answers from one place; the next pass finishes, and nothing is left behind.
func TestAnArchiverMayStopAnywhere(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	for name, cut := range map[string]func(*testing.T, *attic, []placed) error{
		"before the file": func(t *testing.T, a *attic, _ []placed) error {
			a.disk.put = full
			return a.pass(t.Context())
		},
		"after the file, which is not known to be there": func(t *testing.T, a *attic, _ []placed) error {
			a.disk.putAfter = full
			return a.pass(t.Context())
		},
		"while it is read back": func(t *testing.T, a *attic, _ []placed) error {
			a.disk.get = full
			err := a.pass(t.Context())
			a.disk.get = nil
			return err
		},
		"while a leftover is removed": func(t *testing.T, a *attic, _ []placed) error {
			a.disk.putAfter = full
			err := a.pass(t.Context())
			a.disk.putAfter, a.disk.remove = nil, full
			a.clock = a.clock.Add(2 * leftoverAfter)
			return errors.Join(err, a.clear(t.Context()))
		},
		"after a leftover is removed and before that is written down": func(t *testing.T, a *attic, _ []placed) error {
			a.disk.putAfter = full
			err := a.pass(t.Context())
			files, listErr := a.leftoverFiles(t.Context(), "us-east", a.clock.Add(time.Second))
			if listErr != nil || len(files) != 1 {
				t.Fatal(files, listErr)
			}
			_, given := a.giveFileUp(t.Context(), "us-east", files[0])
			return errors.Join(err, given, a.disk.Delete(t.Context(), files[0]))
		},
		"so long that its file was given up": func(t *testing.T, a *attic, orders []placed) error {
			if err := a.beginFile(t.Context(), "us-east", "us-east/slow", a.clock); err != nil {
				t.Fatal(err)
			}
			if _, err := a.giveFileUp(t.Context(), "us-east", "us-east/slow"); err != nil {
				t.Fatal(err)
			}
			_, err := a.moveOrders(t.Context(), "us-east", "us-east/slow", orders, make([]archive.Location, len(orders)))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAttic(t)
			orders := a.confirmed(t, 3)
			if err := cut(t, a, orders); err == nil {
				t.Fatal("nothing went wrong")
			}
			a.answers(t, orders)
			a.disk.put, a.disk.putAfter, a.disk.remove = nil, nil, nil
			a.clock = a.clock.Add(2 * leftoverAfter)
			if err := a.pass(t.Context()); err != nil {
				t.Fatal(err)
			}
			if live := a.count(t, "orders"); live != 0 {
				t.Errorf("%d orders stayed", live)
			}
			a.answers(t, orders)
			a.tidy(t)
		})
	}
}

func TestWhatIsNotDoneWithIsNotArchived(t *testing.T) {
	t.Parallel()
	a := newAttic(t)
	ctx := t.Context()
	// Changed after it was read for the archive.
	changed := a.confirmed(t, 1)[0]
	if err := a.beginFile(ctx, "us-east", "us-east/f", a.clock); err != nil {
		t.Fatal(err)
	}
	if _, err := a.db.Exec(ctx, `DELETE FROM sagas WHERE crdb_region = 'us-east'`); err != nil {
		t.Fatal(err)
	}
	if _, err := a.act(ctx, a.writer, action{home: "us-east", orderID: changed.ID, key: "k", hash: []byte("h"), decide: func(as author) (deed, error) { return as.cancelAll("") }}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if moved, err := a.moveOrders(ctx, "us-east", "us-east/f", []placed{changed}, make([]archive.Location, 1)); err != nil || moved != 0 {
		t.Errorf("%d moved (%v)", moved, err)
	}
	// Its refund and its restock are not done.
	if old, err := a.oldOrders(ctx, "us-east", a.clock, 10); err != nil || len(old) != 0 {
		t.Errorf("%+v is taken for done with (%v)", old, err)
	}
	// Its checkout may still be repeated.
	a.confirmed(t, 1)
	if old, err := a.oldOrders(ctx, "us-east", a.clock, 10); err != nil || len(old) != 0 {
		t.Errorf("%+v is taken for done with (%v)", old, err)
	}
	// It is of this year.
	if _, err := a.db.Exec(ctx, `DELETE FROM sagas WHERE crdb_region = 'us-east'`); err != nil {
		t.Fatal(err)
	}
	if old, err := a.oldOrders(ctx, "us-east", time.Now().Add(-time.Hour), 10); err != nil || len(old) != 0 {
		t.Errorf("%+v is taken for old (%v)", old, err)
	}
	if old, err := a.oldOrders(ctx, "us-east", a.clock, 10); err != nil || len(old) != 1 {
		t.Errorf("old are %+v (%v)", old, err)
	}
}

func TestListsFindWhatIsInTheArchive(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	live := []placed{{Order: contract.Order{ID: "ord_5", CreatedAt: at(5)}}, {Order: contract.Order{ID: "ord_2", CreatedAt: at(2)}}}
	entries := []archivedAt{{id: "ord_4", createdAt: at(4)}, {id: "ord_2", createdAt: at(2)}, {id: "ord_1", createdAt: at(1)}}
	for limit, want := range map[int]string{10: "[ord_5 ord_4 ord_2 ord_1]", 2: "[ord_5 ord_4]"} {
		for _, order := range []func(a, b placed) int{byID, byTime} {
			var ids []string
			for _, item := range merge(live, entries, order, limit) {
				ids = append(ids, item.ID)
				if inArchive := item.archived != nil; inArchive != (item.ID == "ord_4" || item.ID == "ord_1") || (inArchive && item.archived.id != item.ID) {
					t.Errorf("%+v", item)
				}
			}
			if fmt.Sprint(ids) != want {
				t.Errorf("%v, want %s", ids, want)
			}
		}
	}
}

// TestCostOfADeed holds the figures in store_deed.go and archiver.go: constant in the number of lines and of orders.
func TestCostOfADeed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, lines := range []int{1, contract.MaxCartLines} {
		s, order := b.place(t.Context(), t, lines)
		if err := b.end(t.Context(), s, order, stateConfirmed); err != nil {
			t.Fatal(err)
		}
		cancel := action{home: "us-east", orderID: order.ID, key: "k", hash: []byte("h"), decide: func(as author) (deed, error) { return as.cancelAll("") }}
		for _, want := range []struct {
			name                string
			roundTrips, commits int64
		}{{"a cancellation", 5, 1}, {"its repeat", 3, 1}} {
			ctx, cost := sqldb.Count(t.Context())
			if _, err := b.act(ctx, b.writer, cancel, time.Now()); err != nil {
				t.Fatal(err)
			}
			if cost.RoundTrips() != want.roundTrips || cost.Commits() != want.commits {
				t.Errorf("%s of %d lines: %d round trips and %d commits, not %d and %d", want.name, lines, cost.RoundTrips(), cost.Commits(), want.roundTrips, want.commits)
			}
		}
	}
}
