// Package text reads the bytes of a feed: it counts them and their lines, fails at what is not UTF-8, and bounds how much one record may
// take.
package text

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
	// MaxRecord bounds the bytes of one record, such as a row, so that a quote that is never closed cannot take the whole file into memory.
	MaxRecord = 4 << 20
)

// Source hands on a file's bytes and fails at the first that is not UTF-8 text, with its line. It keeps its failure.
type Source struct {
	input *bufio.Reader
	// Bytes counts what was taken in, Text what of it was handed on (all but the byte order mark).
	Bytes int64
	Text  int64
	// Last is the last byte that was handed on.
	Last byte
	// Ended is true once the file's end was met.
	Ended bool
	// line is the line of the next byte.
	line int
	// record counts what was handed on since the last record ended.
	record  int
	failure error
	// cut holds the start of a character whose rest the next read brings.
	cut []byte
}

// New makes a source of a file.
func New(input io.Reader) *Source {
	return &Source{input: bufio.NewReaderSize(input, readAhead), line: 1}
}

// Start looks at the first bytes without taking them, and takes a byte order mark.
func (s *Source) Start() ([]byte, error) {
	if mark, err := s.input.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		if _, err := s.input.Discard(len(mark)); err != nil {
			return nil, fmt.Errorf("read the file's start: %w", err)
		}
		s.Bytes += int64(len(mark))
	}
	first, err := s.input.Peek(readAhead)
	if errors.Is(err, syscall.EISDIR) {
		return nil, &feed.FileError{Cause: feed.ErrDirectory, Problem: "is a directory", Remedy: "name the file in it"}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the file's start: %w", err)
	}
	return first, nil
}

// RecordEnded tells the source that what it hands on from here belongs to the next record.
func (s *Source) RecordEnded() { s.record = 0 }

// Read implements io.Reader for a parser.
func (s *Source) Read(into []byte) (int, error) {
	if s.failure != nil {
		return 0, s.failure
	}
	if s.record > MaxRecord {
		s.failure = ErrRecordTooLong
		return 0, s.failure
	}
	n, err := s.input.Read(into)
	if n > 0 {
		s.Last = into[n-1]
	}
	s.Bytes += int64(n)
	s.Text += int64(n)
	s.record += n
	s.failure = s.judge(into[:n])
	switch {
	case s.failure != nil:
	case errors.Is(err, io.EOF):
		s.Ended = true
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

// ErrRecordTooLong says that one record is longer than MaxRecord.
var ErrRecordTooLong = errors.New("record too long")

// judge walks over text, counts its lines, and fails at what is not UTF-8.
func (s *Source) judge(text []byte) error {
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
			return HasNUL(s.line)
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

func (s *Source) misencoded(c byte) error {
	return &feed.FileError{Line: s.line, Problem: fmt.Sprintf("holds the byte 0x%02X where UTF-8 has none (Latin-1 or Windows-1252 perhaps)", c),
		Remedy: "save it as UTF-8"}
}

// HasNUL is the error for a NUL byte on a line.
func HasNUL(line int) error {
	return &feed.FileError{Line: line, Problem: "holds a NUL byte, so it is not UTF-8 text (UTF-16 perhaps)", Remedy: "save it as UTF-8"}
}
