// Package feed is the common ground of everything that puts products into a shop from outside: what one product of a file
// looks like, how it is read one at a time, and how a run reports what it read and what it refused. It talks to no
// service; whoever runs an import sends the items on.
//
// feed/shopify reads and writes Shopify's product CSV, feed/google reads Google Merchant feeds, feed/detect tells them apart;
// feed/seed makes a believable catalog out of nothing; feed/publish sends items to a running shop.
package feed

import "github.com/meridian-store/meridian/contract"

// Item is one whole product of a feed. A feed never yields half a product: either all its rows were good, or it is refused.
type Item struct {
	Product contract.ProductInput
	// Stock holds what the feed says is on hand, for those SKUs of the product of which it says anything.
	Stock []SKUStock
	// Line is the physical line (from 1) on which the product starts; 0 for a product that comes from no file.
	Line int
}

// SKUStock is the number of units on hand of a SKU, never negative, in no particular warehouse.
type SKUStock struct {
	SKU    string
	OnHand int64
}

// Reader gives a feed's products one at a time. It keeps no product that it handed out; of the whole feed it remembers at
// most a few bytes for each SKU and each product, to tell that a name was there before.
type Reader interface {
	// Next gives the next good product, and io.EOF after the last. Any other error means that the feed can be read no
	// further; products refused on the way are no error, they go to the Observer and into the Report.
	Next() (Item, error)
	// BytesRead says how much of the input was taken in so far, for a progress bar.
	BytesRead() int64
	// Report gives the counts so far.
	Report() Report
}

// Refusal tells why a product, or a row that belongs to none, is not part of the feed's items.
type Refusal struct {
	// Line is the physical line (from 1) at fault.
	Line   int
	Handle string
	// Column is the column's name as the file spells it; empty when no single column is at fault.
	Column string
	Reason string
}

// Note tells of something that was read otherwise than it stands in the feed, such as a SKU that had to be made up.
type Note Refusal

// Observer is told of refusals and notes as they happen; either function may be nil. It is called from Next.
type Observer struct {
	Refused func(Refusal)
	Noted   func(Note)
}
