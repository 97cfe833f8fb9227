package publish

import (
	"slices"

	"github.com/meridian-store/meridian/feed"
)

// Outcome counts what the shop made of the feed.
type Outcome struct {
	Created     int64 `json:"created"`
	Updated     int64 `json:"updated"`
	Unchanged   int64 `json:"unchanged"`
	Refused     int64 `json:"refused"`
	StockSet    int64 `json:"stock_set"`
	StockAsIs   int64 `json:"stock_unchanged"`
	StockDenied int64 `json:"stock_refused"`
}

func (o *Outcome) add(other Outcome) {
	o.Created += other.Created
	o.Updated += other.Updated
	o.Unchanged += other.Unchanged
	o.Refused += other.Refused
	o.StockSet += other.StockSet
	o.StockAsIs += other.StockAsIs
	o.StockDenied += other.StockDenied
}

// Progress is how far a run came: enough to go on with the same feed later, in another process. What lies behind Done may have been
// sent too; sending it again changes nothing, and is counted as unchanged.
type Progress struct {
	// Done is how many of the feed's items, from its first, the shop has answered for.
	Done    int64   `json:"done"`
	Outcome Outcome `json:"outcome"`
	// Refusals hold the first feed.KeptFindings of what the shop refused, in the order of the feed.
	Refusals []feed.Refusal `json:"refusals,omitempty"`
	// Again are the places, before Done, of items that were refused and are offered once more in the end.
	Again []int64 `json:"again,omitempty"`
}

// clone gives a copy that shares no memory that a run changes.
func (p Progress) clone() Progress {
	p.Refusals, p.Again = slices.Clone(p.Refusals), slices.Clone(p.Again)
	return p
}

func (p *Progress) refuse(refusals []feed.Refusal) {
	room := feed.KeptFindings - len(p.Refusals)
	p.Refusals = append(p.Refusals, refusals[:min(room, len(refusals))]...)
}
