package enginetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	folderPattern = "meridian-enginetest-*"
	// A folder is locked right after it was made; younger ones may not be locked yet.
	sweepAge = time.Minute
)

// makeFolder makes a folder that counts as in use for as long as this process lives,
// and clears away those of test binaries that were killed.
func makeFolder(parent string) (folder string, remove func(), err error) {
	if err := sweep(parent); err != nil {
		return "", nil, err
	}
	folder, err = os.MkdirTemp(parent, folderPattern)
	if err != nil {
		return "", nil, fmt.Errorf("make folder for test engines: %w", err)
	}
	lock, err := tryLock(filepath.Join(folder, "lock"))
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(folder))
	}
	return folder, func() {
		if err := errors.Join(os.RemoveAll(folder), lock.Close()); err != nil {
			fmt.Fprintln(os.Stderr, "test engines:", err)
		}
	}, nil
}

func sweep(parent string) error {
	folders, err := filepath.Glob(filepath.Join(parent, folderPattern))
	if err != nil {
		return fmt.Errorf("look for abandoned test engines: %w", err)
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil || time.Since(info.ModTime()) < sweepAge {
			continue
		}
		lock, err := tryLock(filepath.Join(folder, "lock"))
		if err != nil {
			continue // in use, or another user's
		}
		if err := errors.Join(os.RemoveAll(folder), lock.Close()); err != nil {
			return fmt.Errorf("clear away abandoned test engines: %w", err)
		}
	}
	return nil
}

// tryLock locks a file, which it makes, until the returned file is closed or this
// process ends. It fails at once when another holds the lock.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}
