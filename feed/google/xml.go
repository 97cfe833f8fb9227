package google

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/text"
)

const googleNamespace = "http://base.google.com/ns/1.0"

// xmlRecords reads RSS 2.0 and Atom, token by token: of the whole document only one item is ever in memory.
type xmlRecords struct {
	source  *text.Source
	decoder *xml.Decoder
	// item is the name of the element that holds a record: item in RSS, entry in Atom.
	item   string
	number int
}

func openXML(source *text.Source) (*xmlRecords, error) {
	x := &xmlRecords{source: source, decoder: xml.NewDecoder(source)}
	x.decoder.Entity = xml.HTMLEntity
	for {
		token, err := x.decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil, x.broken(feed.ErrFormat, "is XML without any element")
		}
		if err != nil {
			return nil, x.explain(err)
		}
		root, isStart := token.(xml.StartElement)
		if !isStart {
			continue
		}
		switch root.Name.Local {
		case "rss":
			x.item = "item"
		case "feed":
			x.item = "entry"
		default:
			return nil, x.broken(feed.ErrFormat,
				fmt.Sprintf("is XML that begins with <%.40s>, not a feed in <rss> or <feed>", root.Name.Local))
		}
		return x, nil
	}
}

func (x *xmlRecords) bytesRead() int64 { return x.source.Bytes }

func (x *xmlRecords) next() (record, error) {
	for {
		x.source.RecordEnded()
		token, err := x.decoder.Token()
		if err != nil {
			return record{}, x.explain(err)
		}
		if start, isStart := token.(xml.StartElement); isStart && start.Name.Local == x.item {
			r, err := x.read()
			if err == nil {
				x.number++
				r.number = x.number
			}
			return r, err
		}
	}
}

// read reads an item whose start was met. Google's own elements are believed before RSS's and Atom's of the same name.
func (x *xmlRecords) read() (record, error) {
	line, _ := x.decoder.InputPos()
	r, plain := record{line: line, fields: map[string][]string{}}, record{fields: map[string][]string{}}
	for {
		token, err := x.decoder.Token()
		if err != nil {
			return record{}, x.explain(err)
		}
		switch token := token.(type) {
		case xml.EndElement:
			for name, values := range plain.fields {
				if len(r.fields[name]) == 0 {
					r.fields[name] = values
				}
			}
			return r, nil
		case xml.StartElement:
			into := &plain
			if token.Name.Space == googleNamespace || token.Name.Space == "g" {
				into = &r
			}
			if err := x.readField(token, into); err != nil {
				return record{}, err
			}
		}
	}
}

func (x *xmlRecords) readField(start xml.StartElement, into *record) error {
	name := attribute(start.Name.Local)
	if name == "summary" || name == "content" {
		name = "description" // Atom's words for it
	}
	if !known[name] {
		return x.explain(x.decoder.Skip())
	}
	if at := slices.IndexFunc(start.Attr, func(a xml.Attr) bool { return a.Name.Local == "href" }); name == "link" && at >= 0 {
		into.set(name, start.Attr[at].Value)
	}
	var value strings.Builder
	for {
		token, err := x.decoder.Token()
		if err != nil {
			return x.explain(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			value.Write(token)
		case xml.StartElement:
			if err := x.decoder.Skip(); err != nil {
				return x.explain(err)
			}
		case xml.EndElement:
			into.set(name, value.String())
			return nil
		}
	}
}

// explain says in a shopkeeper's words what the XML parser found; nil and the end of a whole document pass.
func (x *xmlRecords) explain(err error) error {
	var syntax *xml.SyntaxError
	var file *feed.FileError
	switch {
	case err == nil, errors.As(err, &file):
		return err
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, text.ErrRecordTooLong):
		return x.broken(text.ErrRecordTooLong,
			fmt.Sprintf("an item that ends here or later is longer than %d MiB", text.MaxRecord>>20))
	case errors.As(err, &syntax) && strings.Contains(syntax.Msg, "unexpected EOF"):
		return x.broken(feed.ErrCutShort, "the XML ends in the middle: the file was cut short")
	case errors.As(err, &syntax):
		return x.broken(syntax, "the XML is not well-formed: "+oneLine(syntax.Msg))
	case strings.HasPrefix(err.Error(), "xml:"):
		return x.broken(err, "the XML cannot be read: "+oneLine(err.Error()))
	default:
		return err
	}
}

func (x *xmlRecords) broken(cause error, problem string) error {
	line, _ := x.decoder.InputPos()
	return &feed.FileError{Line: line, Cause: cause, Problem: problem, Remedy: resend}
}

// oneLine keeps a parser's message, which quotes the file, fit for a report.
func oneLine(message string) string {
	message = strings.Join(strings.Fields(strings.ToValidUTF8(message, "?")), " ")
	if runes := []rune(message); len(runes) > 120 {
		message = string(runes[:120]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, message)
}
