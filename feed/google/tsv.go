package google

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/text"
)

// tsv reads tab-separated text.
type tsv struct {
	source *text.Source
	parser *csv.Reader
	// names are the columns' attributes, "" for those that are passed over.
	names []string
	// ended is the line on which the last row ended; open is true when its last field ended in a line break, as a field does whose
	// quote is never closed.
	ended        int
	open         bool
	number       int
	allowOpenEnd bool
}

func openTSV(source *text.Source, options Options) (*tsv, error) {
	t := &tsv{source: source, parser: csv.NewReader(source), allowOpenEnd: options.AllowMissingLastLineBreak}
	// Shops write inches into titles, and only fields that begin with a quote are quoted.
	t.parser.Comma, t.parser.LazyQuotes, t.parser.ReuseRecord = '\t', true, true
	header, _, err := t.read()
	if errors.Is(err, io.EOF) {
		return nil, &feed.FileError{Cause: feed.ErrEmpty, Problem: "is empty", Remedy: resend}
	}
	if err != nil {
		return nil, err
	}
	places := map[string]bool{}
	for _, column := range header {
		name := attribute(column)
		if !known[name] {
			name = ""
		}
		if name != "" && name != "additional_image_link" && name != "product_type" && places[name] {
			return nil, &feed.FileError{Line: 1, Cause: feed.ErrColumnTwice,
				Problem: fmt.Sprintf("has the column %q twice", name), Remedy: "remove one of the two columns"}
		}
		places[name] = true
		t.names = append(t.names, name)
	}
	for _, needed := range []string{"id", "title", "price"} {
		if !places[needed] {
			return nil, &feed.FileError{Line: 1, Cause: feed.ErrColumnMissing,
				Problem: fmt.Sprintf("the header has no column %q, or its columns are not separated by tabs", needed),
				Remedy:  "export the feed as tab-separated text, with its first line"}
		}
	}
	return t, nil
}

func (t *tsv) bytesRead() int64 { return t.source.Bytes }

func (t *tsv) next() (record, error) {
	for {
		row, line, err := t.read()
		if err != nil {
			return record{}, err
		}
		r := record{line: line, fields: make(map[string][]string, len(row))}
		blank := true
		for i, value := range row {
			blank = blank && strings.TrimSpace(value) == ""
			switch name := t.names[i]; name {
			case "":
			case "additional_image_link":
				for address := range strings.SplitSeq(value, ",") {
					r.set(name, address)
				}
			default:
				r.set(name, value)
			}
		}
		if blank {
			continue
		}
		t.number++
		r.number = t.number
		return r, nil
	}
}

func (t *tsv) read() ([]string, int, error) {
	row, err := t.parser.Read()
	t.source.RecordEnded()
	if err != nil {
		return nil, 0, t.explain(err, len(row))
	}
	line, _ := t.parser.FieldPos(0)
	lastLine, _ := t.parser.FieldPos(len(row) - 1)
	last := row[len(row)-1]
	t.ended, t.open = lastLine+strings.Count(last, "\n"), strings.HasSuffix(last, "\n")
	return row, line, nil
}

// explain says in a shopkeeper's words what the parser found.
func (t *tsv) explain(err error, width int) error {
	var broken *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		if t.open {
			return &feed.FileError{Line: t.ended, Cause: feed.ErrOpenQuote,
				Problem: "a quoted field of the last row is never closed: the file was cut short, or a quote is missing",
				Remedy:  resend}
		}
		if t.source.Last != '\n' && t.source.Text > 0 && !t.allowOpenEnd {
			return &feed.FileError{Line: t.ended, Cause: feed.ErrCutShort,
				Problem: "the last line has no line break, so the file may have been cut short",
				Remedy:  resend + ", or add a line break if it is whole"}
		}
		return io.EOF
	case errors.Is(err, text.ErrRecordTooLong):
		return &feed.FileError{Line: t.ended + 1, Cause: err,
			Problem: fmt.Sprintf("a row from here is longer than %d MiB", text.MaxRecord>>20),
			Remedy:  "look for a quote that is never closed"}
	case !errors.As(err, &broken):
		return err
	case errors.Is(broken.Err, csv.ErrFieldCount):
		return &feed.FileError{Line: broken.StartLine, Cause: csv.ErrFieldCount,
			Problem: fmt.Sprintf("has %d columns where the header has %d"+
				": the file was cut short here, or a tab or line break is not inside quotes",
				width, t.parser.FieldsPerRecord),
			Remedy: resend}
	default:
		return &feed.FileError{Line: broken.Line, Cause: broken.Err,
			Problem: fmt.Sprintf("cannot be read at column %d", broken.Column), Remedy: resend}
	}
}
