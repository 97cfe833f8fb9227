package feed

import "fmt"

// FileError says that a file as a whole cannot be read, so that nothing of it may be imported.
type FileError struct {
	// Line is the physical line (from 1) where it shows; 0 when it concerns the file as a whole.
	Line int
	// Problem says what is wrong; Remedy what to do about it.
	Problem string
	Remedy  string
}

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
