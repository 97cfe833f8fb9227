package google

import (
	"bytes"
	"io"
	"strings"

	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/text"
)

// record is one item of a feed, whatever its form.
type record struct {
	// line is where it starts; number counts the records from 1, because in XML many may be on one line.
	line, number int
	// fields hold the values of each attribute by its name in lower case with underscores; blank ones are left out.
	fields map[string][]string
}

// first gives an attribute's first value, "" when it has none.
func (r *record) first(name string) string {
	if values := r.fields[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// set adds a value, unless it is blank.
func (r *record) set(name, value string) {
	if value = strings.TrimSpace(value); value != "" {
		r.fields[name] = append(r.fields[name], value)
	}
}

func (r *record) size() int {
	total := 0
	for _, values := range r.fields {
		for _, value := range values {
			total += len(value)
		}
	}
	return total
}

// records gives a feed's records one at a time, and io.EOF when the feed ended as a whole one does.
type records interface {
	next() (record, error)
	// bytesRead says how much of the file was taken in.
	bytesRead() int64
}

// attribute writes an attribute's name as we know it: "Image Link" and "g:image_link" are image_link.
func attribute(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	name = strings.TrimPrefix(name, "g:")
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '_' || r == '-' }), "_")
}

// known are the attributes that are read; others are passed over without being kept.
var known = func() map[string]bool {
	names := map[string]bool{}
	for _, name := range []string{
		"id", "item_group_id", "item_group_title", "title", "description", "link", "image_link", "additional_image_link", "availability", "quantity",
		"price", "sale_price", "sale_price_effective_date", "brand", "gtin", "mpn", "condition", "google_product_category",
		"product_type", "shipping_weight", "product_weight", "color", "size", "material", "pattern", "gender", "age_group",
	} {
		names[name] = true
	}
	return names
}()

// Looks says whether the first bytes of a file, without a byte order mark, are those of a feed that this package reads.
func Looks(first []byte) bool {
	trimmed := bytes.TrimSpace(first)
	if bytes.HasPrefix(trimmed, []byte("<")) {
		return bytes.Contains(first, []byte("<rss")) || bytes.Contains(first, []byte("<feed")) ||
			bytes.HasPrefix(trimmed, []byte("<?xml")) && !bytes.Contains(bytes.ToLower(first), []byte("<html"))
	}
	line, _, _ := bytes.Cut(first, []byte("\n"))
	names := map[string]bool{}
	for name := range strings.SplitSeq(string(line), "\t") {
		names[attribute(strings.Trim(strings.TrimSpace(name), `"`))] = true
	}
	return len(names) > 2 && names["id"] && names["title"] && (names["price"] || names["availability"] || names["image_link"])
}

// open finds the form of a feed and gives its records.
func open(input io.Reader, options Options) (records, error) {
	source := text.New(input)
	first, err := source.Start()
	if err != nil {
		return nil, err
	}
	trimmed := bytes.TrimSpace(first)
	switch {
	case len(trimmed) == 0:
		return nil, &feed.FileError{Cause: feed.ErrEmpty, Problem: "is empty", Remedy: resend}
	case trimmed[0] == '<':
		return openXML(source)
	default:
		return openTSV(source, options)
	}
}

// resend is the remedy for a file that came in pieces.
const resend = "export or download the feed again"
