package feed

import (
	"errors"
	"fmt"
)

// FileError says that a file as a whole cannot be read, so that nothing of it may be imported.
type FileError struct {
	// Line is the physical line (from 1) where it shows; 0 when it concerns the file as a whole.
	Line int
	// Problem says what is wrong; Remedy what to do about it.
	Problem string
	Remedy  string
	// Cause is an error of this package or of the parser that classifies the problem; nil when Problem is enough.
	Cause error
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Cause }

var (
	// ErrEmpty is the cause when a file holds nothing but white space.
	ErrEmpty = errors.New("empty file")
	// ErrNoProduct is the cause when a file holds no product.
	ErrNoProduct = errors.New("no product in the file")
	// ErrFormat is the cause when a file is in none of the formats that its reader knows.
	ErrFormat = errors.New("unknown file format")
	// ErrLineEnds is the cause when lines end in a carriage return alone.
	ErrLineEnds = errors.New("line ends without a line feed")
	// ErrColumnMissing is the cause when the header lacks a column that is required.
	ErrColumnMissing = errors.New("missing column")
	// ErrColumnTwice is the cause when two columns of the header mean the same.
	ErrColumnTwice = errors.New("repeated column")
	// ErrOpenQuote is the cause when a quoted field is never closed.
	ErrOpenQuote = errors.New("unclosed quote")
	// ErrCutShort is the cause when a file ends in the middle of a record or document.
	ErrCutShort = errors.New("incomplete file")
	// ErrDirectory is the cause when a path is a directory.
	ErrDirectory = errors.New("directory in place of a file")
)

// Error gives one line: where, what, and what to do.
func (e *FileError) Error() string {
	text := e.Problem
	if e.Line > 0 {
		text = fmt.Sprintf("line %d: %s", e.Line, e.Problem)
	}
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}
