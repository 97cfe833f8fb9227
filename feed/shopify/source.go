package shopify

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"syscall"
	"unicode/utf8"

	"github.com/meridian-store/meridian/feed"
)

const (
	readAhead = 64 << 10
	// maxRowBytes bounds one row, so that a quote that is never closed cannot take the whole file into memory.
	maxRowBytes = 4 << 20
)

// source hands on a file's bytes and fails at the first that is not UTF-8 text, with its line. It keeps its failure.
type source struct {
	input *bufio.Reader
	// bytes counts what was taken in, text what of it was handed on (all but the byte order mark).
	bytes int64
	text  int64
	// line is the line of the next byte, last the byte before it.
	line int
	last byte
	// rowBytes counts what was handed on since the last row ended.
	rowBytes int
	ended    bool
	failure  error
	// cut holds the start of a character whose rest the next read brings.
	cut []byte
}

func newSource(input io.Reader) *source {
	return &source{input: bufio.NewReaderSize(input, readAhead), line: 1}
}

// start looks at the first bytes without taking them, and takes a byte order mark.
func (s *source) start() ([]byte, error) {
	if mark, err := s.input.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		if _, err := s.input.Discard(len(mark)); err != nil {
			return nil, fmt.Errorf("read the file's start: %w", err)
		}
		s.bytes += int64(len(mark))
	}
	first, err := s.input.Peek(readAhead)
	if errors.Is(err, syscall.EISDIR) {
		return nil, &feed.FileError{Problem: "is a directory", Remedy: "name the CSV file in it"}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the file's start: %w", err)
	}
	return first, nil
}

// Read implements io.Reader for the CSV parser.
func (s *source) Read(into []byte) (int, error) {
	if s.failure != nil {
		return 0, s.failure
	}
	if s.rowBytes > maxRowBytes {
		s.failure = errRowTooLong
		return 0, s.failure
	}
	n, err := s.input.Read(into)
	if n > 0 {
		s.last = into[n-1]
	}
	s.bytes += int64(n)
	s.text += int64(n)
	s.rowBytes += n
	s.failure = s.judge(into[:n])
	switch {
	case s.failure != nil:
	case errors.Is(err, io.EOF):
		s.ended = true
		if len(s.cut) > 0 {
			s.failure = s.misencoded(s.cut[0])
		} else {
			s.failure = io.EOF
		}
	case err != nil:
		s.failure = fmt.Errorf("read near line %d: %w", s.line, err)
	}
	return n, s.failure
}

var errRowTooLong = errors.New("row too long")

// judge walks over text, counts its lines, and fails at what is not UTF-8.
func (s *source) judge(text []byte) error {
	for len(s.cut) > 0 && len(text) > 0 {
		s.cut = append(s.cut, text[0])
		text = text[1:]
		if utf8.FullRune(s.cut) {
			if r, size := utf8.DecodeRune(s.cut); r == utf8.RuneError && size == 1 {
				return s.misencoded(s.cut[0])
			}
			s.cut = s.cut[:0]
		}
	}
	for len(text) > 0 {
		switch c := text[0]; {
		case c == '\n':
			s.line++
			text = text[1:]
		case c == 0:
			return hasNUL(s.line)
		case c < utf8.RuneSelf:
			text = text[1:]
		case !utf8.FullRune(text):
			s.cut = append(s.cut[:0], text...)
			return nil
		default:
			r, size := utf8.DecodeRune(text)
			if r == utf8.RuneError && size == 1 {
				return s.misencoded(c)
			}
			text = text[size:]
		}
	}
	return nil
}

func (s *source) misencoded(c byte) error {
	return &feed.FileError{Line: s.line, Problem: fmt.Sprintf("holds the byte 0x%02X where UTF-8 has none (Latin-1 or Windows-1252 perhaps)", c),
		Remedy: "save it as CSV UTF-8"}
}

func hasNUL(line int) error {
	return &feed.FileError{Line: line, Problem: "holds a NUL byte, so it is not UTF-8 text (UTF-16 perhaps)", Remedy: "save it as CSV UTF-8"}
}
