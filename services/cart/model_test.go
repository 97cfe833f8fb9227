package cart

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// model is a cart by the rules at the top of cart.go, told in Go.
type model struct {
	version int64
	lines   []line // live ones, in order
	codes   []code // entered ones, in order
	orders  map[string]bool
}

func (m *model) find(sku string) int {
	return slices.IndexFunc(m.lines, func(l line) bool { return l.sku == sku })
}

func (m *model) quantity(sku string) int64 {
	if i := m.find(sku); i >= 0 {
		return m.lines[i].quantity
	}
	return 0
}

// apply gives lines new quantities and takes codes out under one new version, if that changes any.
func (m *model) apply(quantities map[string]int64, used func(code) bool) {
	codes := len(m.codes)
	m.codes = slices.DeleteFunc(m.codes, used)
	changed := len(m.codes) != codes
	for sku, quantity := range quantities {
		i := m.find(sku)
		switch {
		case m.quantity(sku) == quantity:
			continue
		case i < 0:
			m.lines = append(m.lines, line{sku: sku, quantity: quantity, version: m.version + 1, added: m.version + 1})
		case quantity == 0:
			m.lines = slices.Delete(m.lines, i, i+1)
		default:
			m.lines[i].quantity, m.lines[i].version = quantity, m.version+1
		}
		changed = true
	}
	if changed {
		m.version++
	}
}

func (m *model) put(mode, sku string, quantity int64) (fits bool) {
	if mode == modeAdd {
		quantity += m.quantity(sku)
	}
	if quantity > contract.MaxLineQuantity {
		return false
	}
	m.apply(map[string]int64{sku: quantity}, unused)
	return true
}

func (m *model) enter(name string) {
	if !slices.ContainsFunc(m.codes, func(c code) bool { return c.code == name }) {
		m.version++
		m.codes = append(m.codes, code{code: name, title: "Title|of " + name, entered: true, version: m.version, added: m.version})
	}
}

func unused(code) bool { return false }

func (m *model) clear() {
	quantities := map[string]int64{}
	for _, l := range m.lines {
		quantities[l.sku] = 0
	}
	m.apply(quantities, func(code) bool { return true })
}

func (m *model) confirm(order contract.OrderChange) {
	if m.orders[order.OrderID] {
		return
	}
	m.orders[order.OrderID] = true
	quantities := map[string]int64{}
	for _, bought := range order.Lines {
		i := m.find(bought.SKU)
		switch {
		case i < 0 || m.lines[i].added > order.CartVersion:
		case m.lines[i].version <= order.CartVersion:
			quantities[bought.SKU] = 0
		default:
			quantities[bought.SKU] = max(0, m.lines[i].quantity-bought.Quantity)
		}
	}
	m.apply(quantities, func(c code) bool { return c.added <= order.CartVersion })
}

func TestAnyChangesLeaveTheCartThatTheRulesSay(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	rapid.Check(t, func(t *rapid.T) {
		who, _ := newClaim(geo.IDs{}, testRegion.Code)
		m := &model{orders: map[string]bool{}}
		var bought []contract.OrderChange
		skus := rapid.SampledFrom([]string{"A", "B", "C|1|2", "l:D"})
		codes := rapid.SampledFrom([]string{"TEN", "l:X", "A|B"})
		got, err := s.put(t.Context(), who, "USD", modeSet, "A", 1)
		if err != nil {
			t.Fatal(err)
		}
		m.put(modeSet, "A", 1)
		put := func(t *rapid.T, mode string, quantity int64) {
			sku := skus.Draw(t, "sku")
			fits := m.put(mode, sku, quantity)
			after, err := s.put(t.Context(), who, "", mode, sku, quantity)
			if fits != (err == nil) || (err != nil && contract.CodeOf(err) != contract.CodeInvalid) {
				t.Fatalf("%s %d of %s: %v, though it fits: %t", mode, quantity, sku, err, fits)
			}
			if err == nil {
				got = after
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if diff := cmp.Diff(m.codes, got.entered(), cmp.AllowUnexported(code{}), cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("codes (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(m.lines, got.live(), cmp.AllowUnexported(line{}), cmpopts.EquateEmpty()); diff != "" || got.version != m.version {
					t.Fatalf("version %d, want %d; lines (-want +got):\n%s", got.version, m.version, diff)
				}
			},
			"add": func(t *rapid.T) { put(t, modeAdd, rapid.Int64Range(1, 500).Draw(t, "quantity")) },
			"set": func(t *rapid.T) { put(t, modeSet, rapid.Int64Range(0, 5).Draw(t, "quantity")) },
			"enter": func(t *rapid.T) {
				name := codes.Draw(t, "code")
				m.enter(name)
				if got, err = s.code(t.Context(), who, "", modeEnter, name, "Title|of "+name); err != nil {
					t.Fatal(err)
				}
			},
			"leave": func(t *rapid.T) {
				name := codes.Draw(t, "code")
				m.apply(nil, func(c code) bool { return c.code == name })
				if got, err = s.code(t.Context(), who, "", modeLeave, name, ""); err != nil {
					t.Fatal(err)
				}
			},
			"clear": func(t *rapid.T) {
				m.clear()
				if got, err = s.clear(t.Context(), who); err != nil {
					t.Fatal(err)
				}
			},
			"buy": func(t *rapid.T) {
				bought = append(bought, contract.OrderChange{
					OrderID: fmt.Sprintf("ord-%d", len(bought)), CartID: who.id, CartVersion: got.version, Lines: got.contents().Lines,
				})
			},
			"confirm": func(t *rapid.T) {
				if len(bought) == 0 {
					t.Skip("nothing was bought")
				}
				order := rapid.SampledFrom(bought).Draw(t, "order") // any of them, again too
				m.confirm(order)
				if got, err = s.confirm(t.Context(), order); err != nil {
					t.Fatal(err)
				}
			},
			"read": func(t *rapid.T) {
				read, err := s.find(t.Context(), who.id)
				if diff := cmp.Diff(got, read, cmp.AllowUnexported(cart{}, line{}, code{}), cmpopts.EquateEmpty()); err != nil || diff != "" {
					t.Fatalf("%v; a read differs from the change before it:\n%s", err, diff)
				}
			},
		})
	})
}
