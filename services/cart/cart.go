// Package cart keeps what shoppers mean to buy: SKUs and quantities, and never a price.
//
// The rules:
//
//   - A guest's cart belongs to whoever knows its secret. Only the secret's hash is stored; an unknown cart and a wrong secret look
//     alike.
//   - A user has one cart, homed where the user is. It is found by the user's id, which a token proves, and no secret opens it.
//   - When a guest logs in, the guest's lines move into the user's cart, once: quantities of a SKU add up, what the limits have no
//     room for is told, and the guest's cart opens no more.
//   - Every change raises the cart's version by one and gives the changed lines that version. A line that is taken out stays as a
//     tombstone of quantity 0, so that replicas can tell "taken out" from "never there".
//   - Lines stand in the order in which they were added; taking a SKU out and adding it again puts it at the end.
//   - A cart holds at most contract.MaxCartLines SKUs, and at most contract.MaxLineQuantity of each.
//   - A confirmed order takes out what it bought, once: a line unchanged since the purchase goes; of one changed since then the
//     bought quantity goes; one added since then stays.
//   - Promotion codes stand beside the lines, at most contract.MaxCartCodes; a merge unites them, and buying the cart uses them up. What
//     a code is worth is the order service's to say.
//   - A price or an availability that is not what the shopper was shown is told as such, line by line, until the shopper changes the line
//     or acknowledges the cart. What was shown is kept apart from the cart: it is no part of its versions, its events or its backup.
//   - A cart with something in it that nobody has changed for an hour is announced as abandoned, once for each version.
//   - The currency is chosen when the cart is made and stays. Prices are asked for at each read.
//   - While a cart's home cannot be asked, another region restores it from the events and changes it under its own name. The two are
//     merged SKU by SKU and code by code: the higher version stands, of two equal ones that of the region with the higher code.
//   - A cart that nobody uses for 7 days is gone. Redis is its home; SQL holds a copy of those idle for over 30 minutes.
package cart

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

const (
	// retention is how long a cart lives after its last use.
	retention = 7 * 24 * time.Hour
	// maxTombstones is how many lines that were taken out are remembered, the newest. It bounds what one cart can cost.
	maxTombstones = 200
	// maxOrders is how many orders are remembered as taken out of a cart, and guests' carts as moved in, the newest, so that none is
	// applied twice.
	maxOrders    = 100
	maxSKULength = 100
	// maxCodeLength and maxTitleLength bound a promotion code and what it is called, in characters.
	maxCodeLength  = 64
	maxTitleLength = 200
	// restoreGap is how far a restore raises the version: far above any that the lost Redis can have given out since the backup,
	// so that versions never go back.
	restoreGap = 1 << 20
)

// cart is a cart as it is stored.
type cart struct {
	id, secretHash, currency string
	// site is the code of the region that has restored this cart of another and changes it; "" at the cart's home.
	site    string
	version int64
	// lines holds tombstones too, in the order added.
	lines []line
	// codes holds tombstones too, in the order entered.
	codes []code
	// orders are those taken out already, and the guests' carts moved in, with the version at which.
	orders map[string]int64
	// mergedInto is the user's cart that this guest's cart has become part of, "" for one that opens.
	mergedInto string
	// abandoned says that this version has been announced as abandoned.
	abandoned bool
	// seen is what the shopper was shown, by SKU; it is stored apart.
	seen map[string]sighting
}

// line is one SKU of a cart; quantity 0 is a tombstone.
type line struct {
	sku      string
	quantity int64
	// region is the code of the region that made version, "" for the cart's home.
	region string
	// version is that of the last change; added is that of the change which put the line where it stands.
	version, added int64
}

// code is a promotion code; one that is not entered any more is a tombstone.
type code struct {
	code, title string
	entered     bool
	// region is the code of the region that made version, "" for the cart's home.
	region string
	// version is that of the last change; added is that of the change which put the code where it stands.
	version, added int64
}

// entered gives the codes that are not tombstones.
func (c cart) entered() []code {
	var entered []code
	for _, each := range c.codes {
		if each.entered {
			entered = append(entered, each)
		}
	}
	return entered
}

// takenOrders lists the orders whose lines have been taken out, newest last.
func (c cart) takenOrders() []string {
	var taken []string
	for name := range c.orders {
		if id, err := geo.ParseID(name); err != nil || id.Kind != idKind { // not a guest's cart that moved in
			taken = append(taken, name)
		}
	}
	slices.SortFunc(taken, func(a, b string) int {
		return cmp.Or(cmp.Compare(c.orders[a], c.orders[b]), strings.Compare(a, b))
	})
	return taken
}

// live gives the lines that are not tombstones.
func (c cart) live() []line {
	var live []line
	for _, l := range c.lines {
		if l.quantity > 0 {
			live = append(live, l)
		}
	}
	return live
}

// skus lists what is in the cart.
func (c cart) skus() []string {
	var skus []string
	for _, l := range c.live() {
		skus = append(skus, l.sku)
	}
	return skus
}

// contents is the cart as the order service takes it.
func (c cart) contents() contract.CartContents {
	contents := contract.CartContents{CartID: c.id, Version: c.version, Currency: c.currency, Lines: []contract.SKUCount{}, TakenOrders: c.takenOrders()}
	for _, l := range c.live() {
		contents.Lines = append(contents.Lines, contract.SKUCount{SKU: l.sku, Quantity: l.quantity})
	}
	for _, entered := range c.entered() {
		contents.Codes = append(contents.Codes, entered.code)
	}
	return contents
}

// state is the cart as its events tell it.
func (c cart) state() contract.CartState {
	state := contract.CartState{CartID: c.id, Version: c.version, Currency: c.currency, SecretHash: c.secretHash, Lines: []contract.CartEntry{}, Orders: c.orders}
	for _, l := range c.lines {
		state.Lines = append(state.Lines, contract.CartEntry{SKU: l.sku, Quantity: l.quantity, Version: l.version, Region: l.region, Added: l.added})
	}
	for _, each := range c.codes {
		state.Codes = append(state.Codes, contract.CartCode{Code: each.code, Title: each.title, Entered: each.entered, Version: each.version, Region: each.region, Added: each.added})
	}
	return state
}

// cartOf is the cart that its events tell of.
func cartOf(state contract.CartState) cart {
	c := cart{id: state.CartID, version: state.Version, currency: state.Currency, secretHash: state.SecretHash, orders: map[string]int64{}}
	for _, l := range state.Lines {
		c.lines = append(c.lines, line{sku: l.SKU, quantity: l.Quantity, region: l.Region, version: l.Version, added: l.Added})
	}
	for _, each := range state.Codes {
		c.codes = append(c.codes, code{code: each.Code, title: each.Title, entered: each.Entered, region: each.Region, version: each.Version, added: each.Added})
	}
	maps.Copy(c.orders, state.Orders)
	return c
}

// validateSKU refuses what no catalog could hold.
func validateSKU(sku string) error {
	switch {
	case sku == "" || sku != strings.TrimSpace(sku):
		return contract.Invalid("sku", "is empty or has spaces around it")
	case utf8.RuneCountInString(sku) > maxSKULength:
		return contract.Invalid("sku", "is longer than %d characters", maxSKULength)
	case !utf8.ValidString(sku) || strings.ContainsFunc(sku, unicode.IsControl):
		return contract.Invalid("sku", "contains what cannot be printed")
	}
	return nil
}

func errNoCart() error {
	return contract.Errorf(contract.CodeNotFound, "there is no such cart")
}

func errUnknownSKU() error {
	err := contract.Errorf(contract.CodeNotFound, "this SKU is not sold")
	err.Field = "sku"
	return err
}
