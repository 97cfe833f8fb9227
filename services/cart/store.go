package cart

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/telemetry"
)

// touchAfter is how much of a cart's life must have passed before a read prolongs it: reading costs no write but once a day.
const touchAfter = 24 * time.Hour

// store keeps carts in Redis. A change is one round trip, and so is a read.
type store struct {
	redis   rueidis.Client
	keys    keys
	scripts scripts
	now     func() time.Time
	// eventID names a new event.
	eventID func() string
	// changed is called after each change, when the outbox may hold something.
	changed func()
}

func newStore(redis rueidis.Client, namespace string, region geo.Region, now func() time.Time, changed func()) *store {
	ids := geo.IDs{Clock: now}
	return &store{
		redis: redis, keys: keys{namespace}, scripts: newScripts(), now: now, changed: changed,
		eventID: func() string { return ids.New("evt", region.Code) },
	}
}

// find reads a cart; contract.CodeNotFound when Redis has none.
func (s *store) find(ctx context.Context, id string) (cart, error) {
	key := s.keys.cart(id)
	answers := s.redis.DoMulti(ctx, s.redis.B().Hgetall().Key(key).Build(), s.redis.B().Pttl().Key(key).Build(),
		s.redis.B().Hgetall().Key(s.keys.seen(id)).Build())
	fields, err := answers[0].AsStrMap()
	if err != nil {
		return cart{}, unreachable(err)
	}
	if len(fields) == 0 {
		return cart{}, errNoCart()
	}
	left, err := answers[1].AsInt64()
	if err != nil {
		return cart{}, unreachable(err)
	}
	if time.Duration(left)*time.Millisecond < retention-touchAfter {
		if err := s.touch(ctx, id); err != nil {
			return cart{}, err
		}
	}
	seen, err := answers[2].AsStrMap()
	if err != nil {
		return cart{}, unreachable(err)
	}
	found, err := decodeCart(id, fields)
	found.seen = decodeSeen(seen)
	return found, err
}

// touch lets a cart live on from now.
func (s *store) touch(ctx context.Context, id string) error {
	err := s.scripts.touch.Exec(ctx, s.redis, []string{s.keys.cart(id), s.keys.idle(slotOf(id)), s.keys.seen(id)}, []string{id, millis(s.now()), ttl(retention)}).Error()
	if err != nil {
		return unreachable(err)
	}
	return nil
}

// How put treats the quantity that is there.
const (
	modeAdd = "add"
	modeSet = "set"
)

// put adds to a line or sets it, of which the shopper is shown nothing new.
func (s *store) put(ctx context.Context, who claim, currency, mode, sku string, quantity int64) (cart, error) {
	return s.putShown(ctx, who, currency, mode, sku, quantity, "")
}

// putShown adds to a line or sets it, and notes what its shopper is shown of it ("" for nothing). A currency other than "" makes the cart when it is missing. The errors are contract.CodeNotFound
// when the claim opens no cart, contract.CodeInvalid when a limit would be passed.
func (s *store) putShown(ctx context.Context, who claim, currency, mode, sku string, quantity int64, shown string) (cart, error) {
	return s.change(ctx, s.scripts.put, who.id, who.secretHash, currency, mode, sku, decimal(quantity),
		decimal(contract.MaxLineQuantity), decimal(contract.MaxCartLines), shown)
}

// clear takes all lines out; contract.CodeNotFound when the claim opens no cart.
func (s *store) clear(ctx context.Context, who claim) (cart, error) {
	return s.change(ctx, s.scripts.clear, who.id, who.secretHash)
}

// confirm takes out what an order bought; doing so again changes nothing. contract.CodeNotFound when Redis has no such cart.
func (s *store) confirm(ctx context.Context, order contract.OrderChange) (cart, error) {
	return s.takeOut(ctx, order.CartID, nil, order)
}

// takeOut takes what an order bought out of a cart: the one that was bought, or the one that it has moved into since, and then guest
// is the one that was bought.
func (s *store) takeOut(ctx context.Context, id string, guest *cart, order contract.OrderChange) (cart, error) {
	arguments := []string{order.OrderID, decimal(order.CartVersion), decimal(maxOrders)}
	if guest == nil {
		arguments = append(arguments, "", "0")
	} else {
		arguments = append(arguments, guest.id, decimal(int64(len(guest.codes))))
		for _, each := range guest.codes { // tombstones by now
			arguments = append(arguments, each.code)
		}
	}
	for _, l := range order.Lines {
		arguments = append(arguments, l.SKU, decimal(l.Quantity))
	}
	return s.change(ctx, s.scripts.confirm, id, arguments...)
}

// restore puts a cart back that was last used at some time, and says whether it was missing.
func (s *store) restore(ctx context.Context, c cart, lastUse time.Time) (bool, error) {
	arguments := append([]string{c.id, millis(lastUse), ttl(retention - s.now().Sub(lastUse))}, encodeCart(c)...)
	done, err := s.scripts.restore.Exec(ctx, s.redis, []string{s.keys.cart(c.id), s.keys.idle(slotOf(c.id))}, arguments).AsInt64()
	if err != nil {
		return false, unreachable(err)
	}
	return done == 1, nil
}

// change runs a script of a change and reads its answer.
func (s *store) change(ctx context.Context, script *rueidis.Lua, id string, arguments ...string) (cart, error) {
	changed, _, err := s.changeAndTell(ctx, script, id, arguments...)
	return changed, err
}

// changeAndTell gives too what the script says beside the cart, when it says anything.
func (s *store) changeAndTell(ctx context.Context, script *rueidis.Lua, id string, arguments ...string) (cart, []rueidis.RedisMessage, error) {
	answer, err := script.Exec(ctx, s.redis, s.keys.ofChange(id), append(s.common(ctx, id), arguments...)).ToArray()
	if err != nil {
		return cart{}, nil, unreachable(err)
	}
	if len(answer) == 0 {
		return cart{}, nil, fmt.Errorf("the script of a change of cart %s gave no outcome", id)
	}
	outcome, err := answer[0].ToString()
	if err != nil {
		return cart{}, nil, fmt.Errorf("the outcome of a change of cart %s: %w", id, err)
	}
	if err := outcomeError(outcome); err != nil {
		return cart{}, nil, err
	}
	if len(answer) < 3 {
		return cart{}, nil, fmt.Errorf("the script of a change of cart %s gave no cart", id)
	}
	fields, err := answer[1].AsStrMap()
	if err != nil {
		return cart{}, nil, fmt.Errorf("the fields of cart %s: %w", id, err)
	}
	seen, err := answer[2].AsStrMap()
	if err != nil {
		return cart{}, nil, fmt.Errorf("what was shown of cart %s: %w", id, err)
	}
	s.changed()
	changed, err := decodeCart(id, fields)
	changed.seen = decodeSeen(seen)
	return changed, answer[3:], err
}

// common gives the arguments that all scripts of changes begin with.
func (s *store) common(ctx context.Context, id string) []string {
	return []string{id, millis(s.now()), ttl(retention), decimal(maxTombstones), s.eventID(), telemetry.TraceParent(ctx)}
}

func outcomeError(outcome string) error {
	switch outcome {
	case "ok":
		return nil
	case "missing", "wrong", "merged":
		return errNoCart()
	case "changed":
		return errChanged
	case "quantity":
		return contract.Invalid("quantity", "a line holds at most %d units", contract.MaxLineQuantity)
	case "codes":
		return contract.Invalid("code", "a cart holds at most %d promotion codes", contract.MaxCartCodes)
	case "lines":
		return contract.Invalid("sku", "a cart holds at most %d different SKUs", contract.MaxCartLines)
	default:
		return fmt.Errorf("a change ended in %q", outcome)
	}
}

func unreachable(err error) error {
	return contract.Unavailable(err, "carts cannot be reached now; try again shortly")
}

func decimal(n int64) string        { return strconv.FormatInt(n, 10) }
func millis(at time.Time) string    { return decimal(at.UnixMilli()) }
func ttl(left time.Duration) string { return decimal(max(1, left.Milliseconds())) }
