package shopify

import (
	"errors"
	"io"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// maxHeldBytes bounds what products with scattered rows may hold together until their last row.
const maxHeldBytes = 64 << 20

// Reader streams the products of a file that Check found whole. It implements feed.Source and is for one goroutine.
type Reader struct {
	rows    *rows
	survey  *Survey
	options Options
	report  feed.Report
	skus    *skus
	slugs   map[fingerprint]struct{}

	current *draft
	// held are the products whose rows lie apart, by handle; heldBytes is what they hold.
	held      map[string]*draft
	heldBytes int
	// lastHeld is the handle to which the last row went, when current is nil.
	lastHeld string
	ready    []*draft
	ended    error
}

var _ feed.Source = (*Reader)(nil)

// Open checks a file and gives a reader of its products. The error is a *feed.FileError when the file is not a whole Shopify
// product CSV; nothing of it should be imported then.
func Open(input io.ReadSeeker, options Options) (*Reader, error) {
	options, err := options.WithDefaults()
	if err != nil {
		return nil, err
	}
	survey, err := Check(input, options)
	if err != nil {
		return nil, err
	}
	rows, err := openRows(input, options)
	if err != nil {
		return nil, err
	}
	return &Reader{
		rows: rows, survey: survey, options: options, skus: &skus{taken: map[fingerprint]struct{}{}},
		slugs: map[fingerprint]struct{}{}, held: map[string]*draft{},
	}, nil
}

// Survey gives what the first pass learned, such as the totals and the categories to make before the products.
func (r *Reader) Survey() *Survey { return r.survey }

// Size is how many bytes the file has.
func (r *Reader) Size() int64 { return r.survey.Bytes }

// Categories gives the categories that the file's products name; see Survey.
func (r *Reader) Categories() []contract.CategoryInput { return r.survey.Categories() }

// BytesRead says how much of the file was taken in; Survey().Bytes is all of it.
func (r *Reader) BytesRead() int64 { return r.rows.source.Bytes }

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
		row, line, err := r.rows.next()
		if err != nil {
			r.end(err)
			continue
		}
		r.report.Rows++
		r.take(row, line)
	}
}

// take gives a row to its product, and makes products ready that it ends.
func (r *Reader) take(row []string, line int) {
	handle := r.rows.value(row, handleColumn)
	if handle == "" {
		r.takeStray(row, line)
		return
	}
	if _, scattered := r.survey.lastLine[handle]; scattered {
		r.endCurrent()
		r.takeScattered(handle, row, line)
		return
	}
	if r.current == nil || r.current.handle != handle {
		r.endCurrent()
		r.current = r.draft(handle, line)
	}
	r.current.add(row, line)
}

// takeStray refuses a row without a handle. Without a title it may have been a part of the product before it, which must not
// go in without that part.
func (r *Reader) takeStray(row []string, line int) {
	before := r.current
	if before == nil {
		before = r.held[r.lastHeld]
	}
	if before != nil && r.rows.value(row, titleColumn) == "" {
		before.fail(line, handleColumn, "is blank in a row that follows the product's and may belong to it")
	} else {
		r.refuse(feed.Refusal{Line: line, Column: r.rows.name[handleColumn], Reason: "is blank, so the row belongs to no product"})
	}
	if before != r.current {
		r.releaseAfter(before, line)
	}
}

// takeScattered keeps a product whose rows lie apart until its last row.
func (r *Reader) takeScattered(handle string, row []string, line int) {
	draft := r.held[handle]
	if draft == nil {
		draft = r.draft(handle, line)
		r.held[draft.handle] = draft
	}
	before := draft.bytes
	draft.add(row, line)
	r.heldBytes += draft.bytes - before
	if r.heldBytes > maxHeldBytes {
		draft.fail(line, handleColumn, "the product's rows lie too far apart to be brought together; sort the file by this column")
		r.heldBytes -= draft.bytes
		draft.bytes = 0
	}
	r.lastHeld = draft.handle
	r.releaseAfter(draft, line)
}

// releaseAfter makes a held product ready when the line was its last.
func (r *Reader) releaseAfter(draft *draft, line int) {
	if line < r.survey.lastLine[draft.handle] {
		return
	}
	delete(r.held, draft.handle)
	r.heldBytes -= draft.bytes
	r.ready = append(r.ready, draft)
}

func (r *Reader) draft(handle string, line int) *draft {
	return &draft{header: r.rows.header, handle: strings.Clone(handle), line: line, currency: r.options.Currency, skus: r.skus}
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
	if r.report.Rows != r.survey.Rows || r.rows.source.Bytes != r.survey.Bytes {
		r.ended = &feed.FileError{Problem: "changed while it was read", Remedy: "import it again when nothing writes to it"}
		return
	}
	r.endCurrent()
}

// finish judges a product whose rows are all in.
func (r *Reader) finish(draft *draft) (feed.Item, bool) {
	item, ok := draft.finish()
	if ok {
		key := hash(item.Product.Slug)
		if _, taken := r.slugs[key]; taken {
			draft.fail(draft.line, handleColumn, "an earlier product has the same address, %s", item.Product.Slug)
			ok = false
		}
		r.slugs[key] = struct{}{}
	}
	if !ok {
		r.refuse(*draft.failure)
		return feed.Item{}, false
	}
	for _, note := range draft.notes {
		r.report.Note(note)
		if r.options.Observer.Noted != nil {
			r.options.Observer.Noted(note)
		}
	}
	r.report.Delivered(item)
	return item, true
}

func (r *Reader) refuse(refusal feed.Refusal) {
	r.report.Refuse(refusal)
	if r.options.Observer.Refused != nil {
		r.options.Observer.Refused(refusal)
	}
}
