package feed

import (
	"fmt"
	"strings"
)

// KeptFindings bounds how many refusals, and how many notes, a Report keeps; all are counted.
const KeptFindings = 1000

// Report counts what a run read. Products, Variants, Prices, Images and StockCounts count only what was handed out.
type Report struct {
	// Rows counts the data rows that hold anything, those of refused products too.
	Rows     int64
	Products int64
	Variants int64
	// Prices counts variant prices; compare-at prices are not among them.
	Prices      int64
	Images      int64
	StockCounts int64
	// Refused counts refusals: one a product, and one a row that belongs to no product.
	Refused int64
	Noted   int64
	// Refusals and Notes hold the first KeptFindings of each.
	Refusals []Refusal
	Notes    []Note
}

// Delivered counts an item that was handed out.
func (r *Report) Delivered(item Item) {
	r.Products++
	r.Variants += int64(len(item.Product.Variants))
	for _, variant := range item.Product.Variants {
		r.Prices += int64(len(variant.Prices))
	}
	r.Images += int64(len(item.Product.Images))
	r.StockCounts += int64(len(item.Stock))
}

// Refuse counts a refusal and keeps it when there is room.
func (r *Report) Refuse(refusal Refusal) {
	r.Refused++
	if len(r.Refusals) < KeptFindings {
		r.Refusals = append(r.Refusals, refusal)
	}
}

// Note counts a note and keeps it when there is room.
func (r *Report) Note(note Note) {
	r.Noted++
	if len(r.Notes) < KeptFindings {
		r.Notes = append(r.Notes, note)
	}
}

// String writes the refusal on one line: "line 12, shirt, Variant Price: …".
func (r Refusal) String() string {
	place := []string{fmt.Sprintf("line %d", r.Line)}
	if r.Handle != "" {
		place = append(place, r.Handle)
	}
	if r.Column != "" {
		place = append(place, r.Column)
	}
	return strings.Join(place, ", ") + ": " + r.Reason
}

// String writes the note on one line, as a refusal is written.
func (n Note) String() string { return Refusal(n).String() }
