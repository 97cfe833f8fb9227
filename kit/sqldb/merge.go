package sqldb

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// Merge gives one flat folder of migrations out of several; of two files with one name the first stands.
func Merge(folders ...fs.FS) fs.FS { return merged(folders) }

type merged []fs.FS

func (m merged) Open(name string) (fs.File, error) {
	for _, folder := range m {
		file, err := folder.Open(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (m merged) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, folder := range m {
		entries, err := fs.ReadDir(folder, name)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	byName := func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) }
	slices.SortStableFunc(all, byName)
	return slices.CompactFunc(all, func(a, b fs.DirEntry) bool { return a.Name() == b.Name() }), nil
}

// Embedded returns the folder "migrations" of an embedded file system. It panics when there is none: a wrong go:embed directive.
func Embedded(files fs.FS) fs.FS {
	folder, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return folder
}
