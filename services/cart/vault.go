package cart

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/services/contract"
)

// sweepBatch is how many carts are backed up, or expired backups deleted, by one statement.
const sweepBatch = 200

// vault takes carts that nobody uses from Redis to SQL, and back.
type vault struct {
	store   *store
	backups *backups
	// region is the name of ours.
	region string
	now    func() time.Time
	// idle is how long a cart lies unused before it is backed up.
	idle            time.Duration
	saved, restored prometheus.Counter
}

func newVault(store *store, backups *backups, region string, now func() time.Time, idle time.Duration, registry prometheus.Registerer) *vault {
	v := &vault{store: store, backups: backups, region: region, now: now, idle: idle,
		saved:    prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_cart_backups_total", Help: "Idle carts that were backed up in SQL."}),
		restored: prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_cart_restores_total", Help: "Carts that Redis had lost and that came back from SQL."}),
	}
	registry.MustRegister(v.saved, v.restored)
	return v
}

// restore puts a cart that Redis does not have back from its backup, if that may be opened; contract.CodeNotFound when there is
// none to put back. Its version rises by restoreGap.
func (v *vault) restore(ctx context.Context, id string, mayOpen func(secretHash string) bool) (cart, error) {
	found, err := v.backups.find(ctx, id, v.now().Add(-retention))
	if err != nil {
		return cart{}, err
	}
	if !mayOpen(found.secretHash) {
		return cart{}, errNoCart()
	}
	found.version += restoreGap
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

// sweep backs up what is idle and deletes what is past its retention. Several processes may do so at once.
func (v *vault) sweep(ctx context.Context) error {
	for slot := range slots {
		for {
			n, err := v.sweepSlot(ctx, slot)
			if err != nil {
				return err
			}
			if n < sweepBatch {
				break
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

// sweepSlot backs up a batch of a slot's idle carts and says how many entries it dealt with.
func (v *vault) sweepSlot(ctx context.Context, slot int) (int, error) {
	resting, err := v.store.idle(ctx, slot, v.now().Add(-v.idle), sweepBatch)
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

// confirm takes out of a cart what an order bought, once, and out of the reach of an older backup too: what was bought must not
// come back. A cart that is nowhere needs nothing; of a cart homed elsewhere only a copy that this region serves is changed.
func (v *vault) confirm(ctx context.Context, order contract.OrderChange) error {
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
	into, err := v.store.takeOut(ctx, guest.mergedInto, guest.id, order)
	if err != nil {
		return ignoreMissing(err)
	}
	return v.backups.forget(ctx, into.id, into.version)
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
