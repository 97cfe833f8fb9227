package shopify

import (
	"bytes"
	"strings"

	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/text"
)

// sniff refuses, by its first bytes, a file that is no comma-separated UTF-8 text, because what a CSV parser says of such a
// file helps nobody.
func sniff(first []byte) error {
	if len(bytes.TrimSpace(first)) == 0 {
		return &feed.FileError{Cause: feed.ErrEmpty,
			Problem: "is empty", Remedy: "export the products from Shopify again as CSV"}
	}
	for _, kind := range []struct{ prefix, problem, remedy string }{
		{"\xff\xfe", "is UTF-16", "save it as CSV UTF-8"},
		{"\xfe\xff", "is UTF-16", "save it as CSV UTF-8"},
		{"PK\x03\x04", "is a spreadsheet or a zip archive", "save the sheet as CSV UTF-8, or unpack the archive"},
		{"\x1f\x8b", "is compressed with gzip", "unpack it with gunzip"},
		{"%PDF", "is a PDF", "export the products from Shopify as CSV"},
	} {
		if bytes.HasPrefix(first, []byte(kind.prefix)) {
			return &feed.FileError{Cause: feed.ErrFormat, Problem: kind.problem + ", not CSV", Remedy: kind.remedy}
		}
	}
	switch start := bytes.TrimSpace(first); start[0] {
	case '<':
		return &feed.FileError{Line: 1, Cause: feed.ErrFormat, Problem: "is a web page or XML, not CSV",
			Remedy: "download the file itself; a log-in page may have been saved in its place"}
	case '{', '[':
		return &feed.FileError{Line: 1, Cause: feed.ErrFormat, Problem: "is JSON, not CSV",
			Remedy: "export the products from Shopify as CSV"}
	}
	line, _, _ := bytes.Cut(first, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if bytes.IndexByte(line, 0) >= 0 {
		return text.HasNUL(1)
	}
	if bytes.ContainsRune(line, '\r') {
		return &feed.FileError{Line: 1, Cause: feed.ErrLineEnds, Problem: "has lines that end in a carriage return alone",
			Remedy: "save it as CSV UTF-8"}
	}
	if namesHandle(string(line), ",") {
		return nil
	}
	for _, other := range []struct{ mark, name string }{{";", "semicolons"}, {"\t", "tabs"}, {"|", "bars"}} {
		if namesHandle(string(line), other.mark) {
			return &feed.FileError{Line: 1, Cause: feed.ErrFormat,
				Problem: "has columns separated by " + other.name + ", not commas",
				Remedy:  "save it as CSV with commas"}
		}
	}
	return nil
}

func namesHandle(line, mark string) bool {
	for name := range strings.SplitSeq(line, mark) {
		if meaning, known := meanings[strings.ToLower(strings.Trim(name, "\" "))]; known && meaning == handleColumn {
			return true
		}
	}
	return false
}
