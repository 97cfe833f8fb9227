package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folder is a Store in a folder of this machine.
type folder struct{ root string }

// NewFolder makes a store of a folder, which is created when the first object is written. Names become paths below it.
func NewFolder(root string) Store { return folder{root: filepath.Clean(root)} }

// partial leads the names of files that are being written; no object's name begins with a dot.
const partial = ".partial-"

func (f folder) Put(ctx context.Context, name string, content []byte) error {
	path, err := f.path(ctx, name)
	if err != nil {
		return err
	}
	if err := f.makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), partial+"*")
	if err != nil {
		return fmt.Errorf("begin %s: %w", name, err)
	}
	defer os.Remove(temporary.Name()) //nolint:errcheck // after the rename there is nothing to remove
	_, err = temporary.Write(content)
	if err == nil {
		err = temporary.Sync()
	}
	if err = errors.Join(err, temporary.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return fmt.Errorf("put %s in its place: %w", name, err)
	}
	return syncDir(filepath.Dir(path))
}

func (f folder) Get(ctx context.Context, name string, offset, length int64) ([]byte, error) {
	path, err := f.path(ctx, name)
	if err != nil {
		return nil, err
	}
	if offset < 0 || length < 0 {
		return nil, fmt.Errorf("%s has no %d bytes at %d", name, length, offset)
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	// A length that the file can not have must not become a buffer of that size.
	content, err := io.ReadAll(io.NewSectionReader(file, offset, length))
	if err == nil && int64(len(content)) < length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("read %d bytes of %s at %d: %w", length, name, offset, err)
	}
	return content, nil
}

func (f folder) List(ctx context.Context, prefix string) ([]Object, error) {
	objects := []Object{}
	err := filepath.WalkDir(f.root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return nil // the root before the first object, or a file that has gone meanwhile
		case err != nil:
			return err
		case entry.IsDir() || strings.HasPrefix(entry.Name(), "."):
			return nil
		}
		relative, err := filepath.Rel(f.root, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(relative)
		if !strings.HasPrefix(name, prefix) {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		objects = append(objects, Object{Name: name, Size: info.Size(), Written: info.ModTime().UTC()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", prefix, err)
	}
	slices.SortFunc(objects, func(a, b Object) int { return cmp.Compare(a.Name, b.Name) })
	return objects, nil
}

func (f folder) Delete(ctx context.Context, name string) error {
	path, err := f.path(ctx, name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return syncDir(filepath.Dir(path))
}

// path refuses names that no store has to keep, those that lead out of the folder among them.
func (f folder) path(ctx context.Context, name string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment[0] == '.' || strings.Trim(segment, letters) != "" {
			return "", fmt.Errorf("%q is not a name of an object", name)
		}
	}
	return filepath.Join(f.root, filepath.FromSlash(name)), nil
}

// makeDir makes a folder and those above it, each durable before anything is put in it.
func (f folder) makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if dir != f.root {
		if err := f.makeDir(filepath.Dir(dir)); err != nil {
			return err
		}
	} else if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return fmt.Errorf("make the archive's folder: %w", err)
	}
	// The orders in it are personal data: nobody else reads them.
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the archive's folder: %w", err)
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	opened, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	if err := errors.Join(opened.Sync(), opened.Close()); err != nil {
		return fmt.Errorf("make %s durable: %w", dir, err)
	}
	return nil
}
