package google

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// maxHeldBytes bounds what groups with scattered items may hold together until their last item.
const maxHeldBytes = 64 << 20

// Reader streams the products of a feed that was found whole. It implements feed.Source and is for one goroutine.
type Reader struct {
	records records
	survey  *Survey
	options Options
	report  feed.Report
	// skus and slugs are what earlier products took.
	skus, slugs map[fingerprint]struct{}

	current   *draft
	held      map[string]*draft
	heldBytes int
	ready     []*draft
	ended     error
}

var _ feed.Source = (*Reader)(nil)

// Open checks a feed and gives a reader of its products. The error is a *feed.FileError when the file is no whole feed; nothing of it
// should be imported then.
func Open(input io.ReadSeeker, options Options) (*Reader, error) {
	options, err := options.WithDefaults()
	if err != nil {
		return nil, err
	}
	var survey *Survey
	var all records
	for pass := range 2 {
		if _, err := input.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("go to the file's start: %w", err)
		}
		if all, err = open(input, options); err != nil {
			return nil, err
		}
		if pass == 0 {
			if survey, err = check(all); err != nil {
				return nil, err
			}
		}
	}
	return &Reader{records: all, survey: survey, options: options, skus: map[fingerprint]struct{}{}, slugs: map[fingerprint]struct{}{},
		held: map[string]*draft{}}, nil
}

// Survey gives what the first pass learned.
func (r *Reader) Survey() *Survey { return r.survey }

// Size is how many bytes the file has.
func (r *Reader) Size() int64 { return r.survey.Bytes }

// Categories gives the categories that the products name, parents first.
func (r *Reader) Categories() []contract.CategoryInput { return r.survey.categories }

// BytesRead says how much of the file was taken in.
func (r *Reader) BytesRead() int64 { return r.records.bytesRead() }

// Report gives the counts so far.
func (r *Reader) Report() feed.Report { return r.report }

// Next gives the next good product, io.EOF after the last, and a *feed.FileError when the file changed since it was checked.
func (r *Reader) Next() (feed.Item, error) {
	for {
		for len(r.ready) > 0 {
			draft := r.ready[0]
			r.ready = r.ready[1:]
			if item, ok := r.finish(draft); ok {
				return item, nil
			}
		}
		if r.ended != nil {
			return feed.Item{}, r.ended
		}
		record, err := r.records.next()
		if err != nil {
			r.end(err)
			continue
		}
		r.report.Rows++
		r.take(&record)
	}
}

// take gives an item to its product, and makes products ready that it ends.
func (r *Reader) take(item *record) {
	group := item.first("item_group_id")
	if _, scattered := r.survey.last[group]; scattered {
		r.endCurrent()
		r.takeScattered(group, item)
		return
	}
	if group == "" || r.current == nil || r.current.group != group {
		r.endCurrent()
		r.current = newDraft(group, item, r)
	}
	r.current.add(item)
	if group == "" {
		r.endCurrent()
	}
}

// takeScattered keeps a group whose items lie apart until its last item.
func (r *Reader) takeScattered(group string, item *record) {
	d := r.held[group]
	if d == nil {
		d = newDraft(strings.Clone(group), item, r)
		r.held[d.group] = d
	}
	before := d.bytes
	d.add(item)
	r.heldBytes += d.bytes - before
	if r.heldBytes > maxHeldBytes {
		d.fail(item.line, "item_group_id", "the group's items lie too far apart to be brought together; sort the feed by item_group_id")
		r.heldBytes -= d.bytes
		d.bytes = 0
	}
	if item.number >= r.survey.last[group] {
		delete(r.held, group)
		r.heldBytes -= d.bytes
		r.ready = append(r.ready, d)
	}
}

func (r *Reader) endCurrent() {
	if r.current != nil {
		r.ready = append(r.ready, r.current)
		r.current = nil
	}
}

// end stops the reading: the last product goes out only when the file ended as the first pass saw it end.
func (r *Reader) end(err error) {
	r.ended = err
	if !errors.Is(err, io.EOF) {
		return
	}
	if r.report.Rows != r.survey.Rows || r.records.bytesRead() != r.survey.Bytes || len(r.held) > 0 {
		r.ended = &feed.FileError{Problem: "changed while it was read", Remedy: "import it again when nothing writes to it"}
		return
	}
	r.endCurrent()
}

// claim takes a SKU; false when an earlier item has it.
func (r *Reader) claim(sku string) bool {
	key := hash(sku)
	_, taken := r.skus[key]
	r.skus[key] = struct{}{}
	return !taken
}

// finish judges a product whose items are all in.
func (r *Reader) finish(d *draft) (feed.Item, bool) {
	item, ok := d.finish()
	if ok {
		key := hash(item.Product.Slug)
		if _, taken := r.slugs[key]; taken {
			d.fail(d.line, "", "an earlier product has the same address, %s", item.Product.Slug)
			ok = false
		}
		r.slugs[key] = struct{}{}
	}
	if !ok {
		r.report.Refuse(*d.failure)
		if r.options.Observer.Refused != nil {
			r.options.Observer.Refused(*d.failure)
		}
		return feed.Item{}, false
	}
	for _, note := range d.notes {
		r.report.Note(note)
		if r.options.Observer.Noted != nil {
			r.options.Observer.Noted(note)
		}
	}
	r.report.Delivered(item)
	return item, true
}
