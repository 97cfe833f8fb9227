package shopify

import (
	"fmt"
	"os"
)

// File is a Reader of a file on disk.
type File struct {
	*Reader
	file *os.File
}

// OpenFile opens and checks the file at a path as Open does. Its errors name the path; close the File in the end.
func OpenFile(path string, options Options) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err // it names the path itself
	}
	reader, err := Open(file, options)
	if err != nil {
		if closing := file.Close(); closing != nil {
			return nil, fmt.Errorf("%s: %w (and closing it: %w)", path, err, closing)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{Reader: reader, file: file}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }
