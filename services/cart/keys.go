package cart

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// slots is the number of parts that carts are split in. The braces in the keys of a slot keep them on one node of a Redis Cluster,
// so that one script may change a cart and its outbox together.
const slots = 16

// keys names what the service keeps in Redis, below the namespace of the shop.
type keys struct{ namespace string }

// slotOf gives the slot of a cart.
func slotOf(cartID string) int {
	hash := fnv.New32a()
	hash.Write([]byte(cartID)) // an fnv hash never fails
	return int(hash.Sum32() % slots)
}

func (k keys) in(slot int, name string) string {
	return fmt.Sprintf("%s{c%02d}:%s", k.namespace, slot, name)
}

func (k keys) cart(id string) string  { return k.in(slotOf(id), "cart:"+id) }
func (k keys) copy(id string) string  { return k.in(slotOf(id), "copy:"+id) }
func (k keys) copies(slot int) string { return k.in(slot, "copies") }
func (k keys) moved(id string) string { return k.in(slotOf(id), "moved:"+id) }
func (k keys) outbox(slot int) string { return k.in(slot, "outbox") }
func (k keys) idle(slot int) string   { return k.in(slot, "idle") }
func (k keys) rested(slot int) string { return k.in(slot, "rested") }
func (k keys) seen(id string) string  { return k.in(slotOf(id), "seen:"+id) }
func (k keys) lease(slot int) string  { return k.in(slot, "lease") }
func (k keys) epoch(slot int) string  { return k.in(slot, "epoch") }

// keyPatterns lists the keys of every kind, with <slot> and <cart_id> for what varies.
func keyPatterns() []string {
	const id = "<cart_id>"
	slot, k := slotOf(id), keys{}
	patterns := []string{
		k.cart(id), k.copy(id), k.copies(slot), k.moved(id), k.outbox(slot),
		k.idle(slot), k.rested(slot), k.seen(id), k.lease(slot), k.epoch(slot),
	}
	for i, pattern := range patterns {
		patterns[i] = strings.Replace(pattern, fmt.Sprintf("{c%02d}", slot), "{c<slot>}", 1)
	}
	return patterns
}

func (k keys) ofChange(id string) []string {
	slot := slotOf(id)
	return []string{k.cart(id), k.outbox(slot), k.idle(slot), k.seen(id)}
}
