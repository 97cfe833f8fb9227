package shopify

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/text"
)

// rows reads a file row by row and turns whatever is wrong with its form into a *feed.FileError.
type rows struct {
	*header
	source *text.Source
	parser *csv.Reader
	// ended is the line on which the last row ended.
	ended        int
	allowOpenEnd bool
}

func openRows(input io.Reader, options Options) (*rows, error) {
	source := text.New(input)
	first, err := source.Start()
	if err != nil {
		return nil, err
	}
	if err := sniff(first); err != nil {
		return nil, err
	}
	r := &rows{source: source, parser: csv.NewReader(source), allowOpenEnd: options.AllowMissingLastLineBreak}
	r.parser.ReuseRecord = true
	names, _, err := r.read()
	if errors.Is(err, io.EOF) {
		return nil, &feed.FileError{Cause: feed.ErrEmpty,
			Problem: "is empty", Remedy: "export the products from Shopify again as CSV"}
	}
	if err != nil {
		return nil, err
	}
	r.header, err = parseHeader(names)
	return r, err
}

// next gives the next row that holds anything, with the line on which it starts; the row is valid until the next call.
func (r *rows) next() ([]string, int, error) {
	for {
		row, line, err := r.read()
		if err != nil {
			return nil, 0, err
		}
		for _, value := range row {
			if strings.TrimSpace(value) != "" {
				return row, line, nil
			}
		}
	}
}

func (r *rows) read() ([]string, int, error) {
	row, err := r.parser.Read()
	r.source.RecordEnded()
	if err != nil {
		return nil, 0, r.explain(err, len(row))
	}
	line, _ := r.parser.FieldPos(0)
	lastLine, _ := r.parser.FieldPos(len(row) - 1)
	r.ended = lastLine + strings.Count(row[len(row)-1], "\n")
	return row, line, nil
}

// explain says in a shopkeeper's words what the CSV parser found.
func (r *rows) explain(err error, width int) error {
	const resend = "export or download it again"
	var broken *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		if r.source.Last != '\n' && r.source.Text > 0 && !r.allowOpenEnd {
			return &feed.FileError{Line: r.ended, Cause: feed.ErrCutShort,
				Problem: "the last line has no line break, so the file may have been cut short",
				Remedy:  resend + ", or add a line break if it is whole"}
		}
		return io.EOF
	case errors.Is(err, text.ErrRecordTooLong):
		return &feed.FileError{Line: r.ended + 1, Cause: err,
			Problem: fmt.Sprintf("a row from here is longer than %d MiB", text.MaxRecord>>20),
			Remedy:  "look for a quote that is never closed"}
	case !errors.As(err, &broken):
		return err
	case errors.Is(broken.Err, csv.ErrFieldCount):
		return &feed.FileError{Line: broken.StartLine, Cause: csv.ErrFieldCount,
			Problem: fmt.Sprintf("has %d columns where the header has %d"+
				": the file was cut short here, or a comma or line break is not inside quotes",
				width, r.parser.FieldsPerRecord),
			Remedy: resend}
	case errors.Is(broken.Err, csv.ErrQuote) && r.source.Ended && r.parser.InputOffset() >= r.source.Text:
		return &feed.FileError{Line: broken.StartLine, Cause: feed.ErrOpenQuote,
			Problem: "a quoted field of this row is never closed: the file was cut short, or a quote is missing",
			Remedy:  resend}
	default:
		return &feed.FileError{Line: broken.Line, Cause: broken.Err,
			Problem: fmt.Sprintf("a quote is out of place at column %d", broken.Column),
			Remedy:  `write a quote inside a field as two, and the field inside quotes`}
	}
}
