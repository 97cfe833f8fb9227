// Package statements finds the SQL that Go source sends, so that it can be read, and checked by another engine's parser, without running it.
//
// It looks at constants: the compiler's own folding puts a statement that is written in pieces together. What only run time puts together
// is not guessed at; the places where it is sent are given instead.
package statements

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Statement is one that the source sends as it stands, with $1, $2 … for its arguments.
type Statement struct {
	Package string // its folder, below the root, such as services/order
	File    string // its file's name
	Line    int
	Text    string
}

// Site is a place that sends what only run time knows: one of several statements, which are then in Found, or one put together from pieces,
// which is not.
type Site struct {
	Package string
	File    string
	Line    int
	Sends   string // the Go expression that gives the statement
}

// Found is what a tree of source sends, in the order of its files.
type Found struct {
	Statements []Statement
	Sites      []Site
}

// MadeAtRunTime is in each comment of Found.Text about a place whose statement is only known at run time.
const MadeAtRunTime = "sends what run time makes"

// ErrNoSource is returned by Find when no statement is found in the folder.
var ErrNoSource = errors.New("no Go source that sends SQL")

// Find reads every package of the module at root that talks SQL for the shop; tests and what serves them are left out.
func Find(root string) (Found, error) {
	var found Found
	for _, folder := range []string{"kit", "local", "regions", "replication", "services"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist) || err == nil && !entry.IsDir():
				return nil
			case err != nil:
				return err
			case passedOver(path, entry.Name()):
				return filepath.SkipDir
			}
			return found.readPackage(root, path)
		})
		if err != nil {
			return Found{}, fmt.Errorf("read the source: %w", err)
		}
	}
	if len(found.Statements) == 0 {
		return Found{}, fmt.Errorf("%w is below %s", ErrNoSource, root)
	}
	return found, nil
}

func passedOver(path, name string) bool {
	if strings.HasPrefix(name, ".") || slices.Contains([]string{"testdata", "enginetest", "kittest"}, name) {
		return true
	}
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil
}

func (f *Found) readPackage(root, folder string) error {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	var files []*ast.File
	talks := false
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file)
		talks = talks || talksSQL(file)
	}
	if !talks {
		return nil
	}
	place, err := filepath.Rel(root, folder)
	if err != nil {
		return err
	}
	values := fold(place, set, files)
	for _, file := range files {
		reader := reader{place: filepath.ToSlash(place), set: set, values: values, sends: talksSQL(file)}
		ast.Inspect(file, reader.visit)
		f.Statements = append(f.Statements, reader.statements...)
		f.Sites = append(f.Sites, reader.sites...)
	}
	return nil
}

// talksSQL says whether a file can send statements at all: Redis scripts have the same method names.
func talksSQL(file *ast.File) bool {
	return slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool {
		path := strings.Trim(i.Path.Value, `"`)
		return strings.HasPrefix(path, "github.com/jackc/pgx/v5") || strings.HasSuffix(path, "/kit/sqldb") || strings.HasSuffix(path, "/replication/outbox")
	})
}

// fold gives the package's constants. Types of other packages are not read, since no statement is kept in another package than its
// sender's; so most of the package does not type-check, which does no harm to constants.
func fold(path string, set *token.FileSet, files []*ast.File) map[ast.Expr]types.TypeAndValue {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	_, err := config.Check(path, set, files, info)
	_ = err // as said above
	return info.Types
}

type noImports struct{}

var errNotRead = errors.New("other packages are not read")

func (noImports) Import(string) (*types.Package, error) { return nil, errNotRead }

// Text writes what was found as SQL: each statement with its place in a comment, once for each package; then the places of the others.
func (f Found) Text() string {
	text := &strings.Builder{}
	seen := map[string]bool{}
	for _, s := range f.Statements {
		if key := s.Package + "\x00" + s.Text; !seen[key] {
			seen[key] = true
			fmt.Fprintf(text, "-- %s/%s:%d\n%s;\n\n", s.Package, s.File, s.Line, s.Text)
		}
	}
	for _, s := range f.Sites {
		fmt.Fprintf(text, "-- %s/%s:%d %s: %s\n", s.Package, s.File, s.Line, MadeAtRunTime,
			strings.Join(strings.Fields(s.Sends), " "))
	}
	return text.String()
}
