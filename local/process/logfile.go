package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	logRotateSize = 64 << 20
	logTailBytes  = 8 << 10
	logTailLines  = 15
)

// openLog opens the file for appending, moving it aside to name.1 first when it has
// grown past logRotateSize, and returns it with the offset at which this run begins.
func openLog(name string) (*os.File, int64, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, 0, fmt.Errorf("create log folder: %w", err)
	}
	if info, err := os.Stat(name); err == nil && info.Size() > logRotateSize {
		if err := os.Rename(name, name+".1"); err != nil {
			return nil, 0, fmt.Errorf("rotate log: %w", err)
		}
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the spec names it
	if err != nil {
		return nil, 0, fmt.Errorf("open log: %w", err)
	}
	offset, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("find end of log: %w", err), f.Close())
	}
	return f, offset, nil
}

// logTail returns the last lines written since offset, or "" when there are none.
// It is read for an error message only, so that a log that cannot be read gives "".
func logTail(name string, offset int64) string {
	if name == "" {
		return ""
	}
	f, err := os.Open(name) //nolint:gosec // the spec names it
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // opened for reading only

	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	data, err := io.ReadAll(io.NewSectionReader(f, max(offset, size-logTailBytes), logTailBytes))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-logTailLines):], "\n")
}
