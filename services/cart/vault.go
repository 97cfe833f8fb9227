package cart

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// sweepBatch is how many carts are backed up, or expired backups deleted, by one statement.
const sweepBatch = 200

// vault takes carts that nobody uses from Redis to SQL, and back.
type vault struct {
	store   *store
	backups *backups
	// region is the name of ours, code its code.
	region, code string
	now          func() time.Time
	set          Config

	saved, restored, abandoned, reopened, reunited prometheus.Counter
}

func newVault(store *store, backups *backups, region geo.Region, now func() time.Time, set Config, registry prometheus.Registerer) *vault {
	v := &vault{store: store, backups: backups, region: region.Name, code: region.Code, now: now, set: set,
		saved:     prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_cart_backups_total", Help: "Idle carts that were backed up in SQL."}),
		restored:  prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_cart_restores_total", Help: "Carts that Redis had lost and that came back from SQL."}),
		abandoned: prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_cart_abandoned_total", Help: "Carts that were announced as abandoned."}),
		reopened:  prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_cart_reopened_total", Help: "Carts of other regions that were restored here from their events."}),
		reunited:  prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_cart_reunited_total", Help: "Carts that were merged with what another region had made of them."}),
	}
	registry.MustRegister(v.saved, v.restored, v.abandoned, v.reopened, v.reunited)
	return v
}

// restore puts a cart that Redis does not have back from its backup, if that may be opened; contract.CodeNotFound when there is
// none to put back. Its version rises by restoreGap.
func (v *vault) restore(ctx context.Context, id string, mayOpen func(secretHash string) bool) (cart, error) {
	if !v.homedHere(id) {
		if found, err := v.openCopy(ctx, id, mayOpen); contract.CodeOf(err) != contract.CodeNotFound {
			return found, err
		}
	}
	found, err := v.backups.find(ctx, id, v.now().Add(-retention))
	if contract.CodeOf(err) == contract.CodeNotFound {
		// Another may have put it back and changed it since we looked in Redis, which is when an older backup goes.
		return v.store.find(ctx, id)
	}
	if err != nil {
		return cart{}, err
	}
	if !mayOpen(found.secretHash) {
		return cart{}, errNoCart()
	}
	found.version += restoreGap
	if !v.homedHere(id) {
		found.site = v.code
	}
	missing, err := v.store.restore(ctx, found.cart, found.lastUse)
	if err != nil {
		return cart{}, err
	}
	if missing {
		v.restored.Inc()
	}
	// Another request may have been first, and may have changed the cart since.
	return v.store.find(ctx, id)
}

// sweep backs up what is idle, announces what is abandoned, and deletes what is past its retention. Several processes may do so at once.
func (v *vault) sweep(ctx context.Context) error {
	for slot := range slots {
		for _, work := range []func(context.Context, int) (int, error){v.backUp, v.abandon} {
			for n := sweepBatch; n == sweepBatch; {
				var err error
				if n, err = work(ctx, slot); err != nil {
					return err
				}
			}
		}
	}
	for {
		n, err := v.backups.expire(ctx, v.region, v.now().Add(-retention), sweepBatch)
		if err != nil || n < sweepBatch {
			return err
		}
	}
}

// backUp copies a batch of a slot's idle carts to SQL and says how many entries it dealt with.
func (v *vault) backUp(ctx context.Context, slot int) (int, error) {
	resting, err := v.store.unused(ctx, v.store.keys.idle(slot), v.now().Add(-v.set.Idle), sweepBatch)
	if err != nil || len(resting) == 0 {
		return 0, err
	}
	carts, err := v.store.load(ctx, resting)
	if err != nil {
		return 0, err
	}
	if err := v.backups.save(ctx, carts); err != nil {
		return 0, err
	}
	v.saved.Add(float64(len(carts)))
	return len(resting), v.store.rest(ctx, slot, resting)
}

// abandon announces a batch of a slot's abandoned carts and says how many entries it dealt with.
func (v *vault) abandon(ctx context.Context, slot int) (int, error) {
	resting, err := v.store.unused(ctx, v.store.keys.rested(slot), v.now().Add(-v.set.Abandoned), sweepBatch)
	if err != nil || len(resting) == 0 {
		return 0, err
	}
	announced, err := v.store.abandon(ctx, slot, resting)
	v.abandoned.Add(float64(announced))
	return len(resting), err
}

// confirm takes out of a cart what an order bought, once, and out of the reach of an older backup too: what was bought must not
// come back. A cart that is nowhere needs nothing; of a cart homed elsewhere only a copy that this region serves is changed.
func (v *vault) confirm(ctx context.Context, order contract.OrderChange) error {
	if !v.homedHere(order.CartID) {
		if err := v.confirmMovedHere(ctx, order); err != nil {
			return err
		}
	}
	c, err := v.store.confirm(ctx, order)
	if contract.CodeOf(err) == contract.CodeNotFound {
		if !v.homedHere(order.CartID) {
			return nil
		}
		trusted := func(string) bool { return true } // the order service has seen the secret
		if _, err := v.restore(ctx, order.CartID, trusted); err != nil {
			return ignoreMissing(err)
		}
		c, err = v.store.confirm(ctx, order)
	}
	if err != nil {
		return ignoreMissing(err)
	}
	if err := v.backups.forget(ctx, order.CartID, c.version); err != nil || c.mergedInto == "" {
		return err
	}
	return v.confirmMoved(ctx, order, c)
}

// confirmMoved takes what was bought out of the user's cart that the bought one has moved into since: a guest who buys and then logs
// in at once must not find it in the cart again.
func (v *vault) confirmMoved(ctx context.Context, order contract.OrderChange, guest cart) error {
	into, err := v.store.takeOut(ctx, guest.mergedInto, &guest, order)
	if err != nil {
		return ignoreMissing(err)
	}
	return v.backups.forget(ctx, into.id, into.version)
}

// confirmMovedHere does the same for a guest's cart of another region, which this one has never had.
func (v *vault) confirmMovedHere(ctx context.Context, order contract.OrderChange) error {
	guest, into, err := v.store.movedInto(ctx, order.CartID)
	if err != nil || into == "" {
		return err
	}
	return v.confirmMoved(ctx, order, guest)
}

func (v *vault) homedHere(id string) bool {
	home, err := v.backups.homeOf(id)
	return err == nil && home == v.region
}

func ignoreMissing(err error) error {
	if contract.CodeOf(err) == contract.CodeNotFound {
		return nil
	}
	return err
}
