// Package launcher is `meridian up`: every region, the one SQL server and the edge on one machine, as supervised processes.
package launcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Home is the folder of one running copy: its state, its secrets, its engines' data and its logs.
type Home struct{ dir string }

// OpenHome makes the folder where it is missing; "" means .meridian in the working directory.
func OpenHome(dir string) (Home, error) {
	if dir == "" {
		dir = ".meridian"
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Home{}, fmt.Errorf("find the home %s: %w", dir, err)
	}
	if err := os.MkdirAll(absolute, 0o700); err != nil {
		return Home{}, fmt.Errorf("make the home: %w", err)
	}
	return Home{dir: absolute}, nil
}

// Dir is the home's absolute path; Path and Log give places in it.
func (h Home) Dir() string { return h.dir }

// Path gives a place below the home.
func (h Home) Path(parts ...string) string {
	return filepath.Join(append([]string{h.dir}, parts...)...)
}

// Log gives the log file of a process or a service of a region; region "" is outside them all.
func (h Home) Log(region, name string) string { return h.Path("logs", region, name+".log") }

// ErrRunning says that another `up` holds the home.
var ErrRunning = errors.New("a copy is already running")

// Lock takes the home for this process until it ends. The kernel lets go of it even when the process is killed.
func (h Home) Lock() (*os.File, error) {
	file, err := os.OpenFile(h.Path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the home's lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if closing := file.Close(); closing != nil {
			return nil, errors.Join(err, closing)
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrRunning
		}
		return nil, fmt.Errorf("lock the home: %w", err)
	}
	return file, nil
}

// readJSON reads a file of the home; false when there is none.
func (h Home) readJSON(name string, into any) (bool, error) {
	data, err := os.ReadFile(h.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("read %s: %w", h.Path(name), err)
	}
	return true, nil
}

// writeJSON replaces a file of the home in one step, so that a reader never sees half of it.
func (h Home) writeJSON(name string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	temporary, err := os.CreateTemp(h.dir, name+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(temporary.Name(), h.Path(name)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
