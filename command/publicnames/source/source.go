// Package source finds names in the text of the repository that no registry lists. What it finds does not depend on
// where a file is.
package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Root returns the folder of the go.mod at or above a folder.
func Root(from string) (string, error) {
	folder, err := filepath.Abs(from)
	if err != nil {
		return "", fmt.Errorf("find the root of the repository: %w", err)
	}
	for {
		_, err := os.Stat(filepath.Join(folder, "go.mod"))
		if err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || parent == folder {
			return "", fmt.Errorf("find the root of the repository: no go.mod at or above %s", from)
		}
		folder = parent
	}
}

// Source is the text of a repository: what the searches read of its Go files, and its scripts without their comments.
type Source struct {
	files   []goFile
	scripts []string
}

// Read reads the Go files and scripts below a folder.
func Read(root string) (*Source, error) {
	s := &Source{}
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && isSkipped(entry.Name()):
			return fs.SkipDir
		case !entry.Type().IsRegular() || !isGo(entry.Name()) && !isScript(entry.Name()):
			return nil
		}
		text, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		if !isGo(entry.Name()) {
			s.scripts = append(s.scripts, comment.ReplaceAllString(string(text), ""))
			return nil
		}
		file, err := parse(entry.Name(), text)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		s.files = append(s.files, file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	return s, nil
}

var comment = regexp.MustCompile(`(?m)^\s*(#|//).*$`)

// scriptKinds are the files, besides Go, that read or set variables of the environment.
var scriptKinds = []string{".yaml", ".yml", ".sh", ".js", ".tf"}

func isGo(name string) bool { return strings.HasSuffix(name, ".go") }

func isScript(name string) bool {
	return name == "Makefile" || name == "run" || slices.Contains(scriptKinds, filepath.Ext(name))
}

// isSkipped reports whether a folder holds no source, or only the inputs of tests.
func isSkipped(folder string) bool {
	return slices.Contains([]string{"bin", "node_modules", "testdata", "docs"}, folder) ||
		strings.HasPrefix(folder, ".") && folder != ".ci"
}
