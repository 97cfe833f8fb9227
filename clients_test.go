package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	clientReason = "kit/httpclient constructs every HTTP client: each has a timeout, and TLS is configured in one place"
	secretReason = "kit/httpx.Client sends the internal secret: the identity of callers is added in one place"
)

// clientUses are, by import path, what only kit/httpclient may use. Pointers to the types are allowed.
var clientUses = map[string][]string{
	"net/http": {"Client", "Transport", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm"},
	"github.com/valyala/fasthttp": {
		"Client", "HostClient", "PipelineClient", "LBClient",
		"Do", "DoTimeout", "DoDeadline", "DoRedirects", "Get", "GetTimeout", "GetDeadline", "Post",
	},
}

// secretSenders are the files that may set contract.HeaderInternal, beside tests, which play a service or a stranger.
var secretSenders = []string{
	"kit/httpx/client.go",
	"services/gateway/homes.go", // forwards shoppers' requests with fasthttp
	"local/kittest/kittest.go",  // for tests
}

func TestHTTPClients_HaveOneConstructor(t *testing.T) {
	t.Parallel()
	forEachFile(t, func(files *token.FileSet, name string, file *ast.File) {
		if path.Dir(name) == "kit/httpclient" {
			return
		}
		for _, use := range usesOf(files, file, clientUses) {
			t.Errorf("%s: %s", use, clientReason)
		}
	})
}

func TestInternalSecret_IsSentByOneClient(t *testing.T) {
	t.Parallel()
	forEachFile(t, func(files *token.FileSet, name string, file *ast.File) {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(secretSenders, name) {
			return
		}
		for _, use := range secretsSent(files, file) {
			t.Errorf("%s: %s", use, secretReason)
		}
	})
}

// The checks themselves are tested, because a check that finds nothing passes too.
func TestClientChecks_FindViolations(t *testing.T) {
	t.Parallel()
	const source = `package seeded

import (
	"net/http"

	fast "github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/contract"
)

var (
	_ = &http.Client{}
	_ = http.Client{Transport: &http.Transport{}}
	_ = new(http.Client)
	_ = http.DefaultClient
	_ = http.DefaultTransport
	_ = fast.HostClient{}
	_ http.Client
)

type allowed struct {
	client *http.Client
	host   *fast.HostClient
	server http.Server
}

func send(request *http.Request) {
	_, _ = http.Get("http://127.0.0.1")
	_, _, _ = fast.Get(nil, "http://127.0.0.1")
	request.Header.Set(contract.HeaderInternal, "secret")
	_ = request.Header.Get(contract.HeaderInternal)
}
`
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "seeded.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"12: net/http.Client", "13: net/http.Client", "13: net/http.Transport", "14: net/http.Client",
		"15: net/http.DefaultClient", "16: net/http.DefaultTransport", "17: github.com/valyala/fasthttp.HostClient",
		"18: net/http.Client", "28: net/http.Get", "29: github.com/valyala/fasthttp.Get",
	}
	for i := range want {
		want[i] = "seeded.go:" + want[i]
	}
	if got := usesOf(files, file, clientUses); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	want = []string{"seeded.go:30: contract.HeaderInternal is set"}
	if got := secretsSent(files, file); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// usesOf returns where a file uses one of the names of packages, as "file:line: path.name". A pointer's type is no use.
func usesOf(files *token.FileSet, file *ast.File, names map[string][]string) (uses []string) {
	imported := map[string]string{} // paths by the name in the file
	for _, spec := range file.Imports {
		of, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path.Base(of)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = of
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if pointer, ok := node.(*ast.StarExpr); ok {
			_, isName := pointer.X.(*ast.SelectorExpr)
			return !isName
		}
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		from, ok := selector.X.(*ast.Ident)
		if ok && slices.Contains(names[imported[from.Name]], selector.Sel.Name) {
			what := imported[from.Name] + "." + selector.Sel.Name
			uses = append(uses, position(files, selector)+": "+what)
		}
		return true
	})
	return uses
}

// secretsSent returns where a file sets contract.HeaderInternal, by a header's method or as a map's key.
func secretsSent(files *token.FileSet, file *ast.File) (uses []string) {
	report := func(node ast.Node) {
		if s, ok := node.(*ast.SelectorExpr); ok && s.Sel.Name == "HeaderInternal" {
			uses = append(uses, position(files, node)+": contract.HeaderInternal is set")
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.CallExpr:
			method, ok := n.Fun.(*ast.SelectorExpr)
			if ok && (method.Sel.Name == "Set" || method.Sel.Name == "Add") && len(n.Args) == 2 {
				report(n.Args[0])
			}
		case *ast.KeyValueExpr:
			report(n.Key)
		case *ast.IndexExpr:
			report(n.Index)
		}
		return true
	})
	return uses
}

func position(files *token.FileSet, node ast.Node) string {
	at := files.Position(node.Pos())
	return fmt.Sprintf("%s:%d", at.Filename, at.Line)
}

// forEachFile parses every Go file of this module. Its name is relative to the root, with slashes.
func forEachFile(t *testing.T, check func(files *token.FileSet, name string, file *ast.File)) {
	t.Helper()
	files, found := token.NewFileSet(), 0
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != ".":
			_, err := os.Stat(filepath.Join(name, "go.mod"))
			if err == nil || strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" {
				return fs.SkipDir // another module, or no package
			}
		case strings.HasSuffix(name, ".go"):
			file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			found++
			check(files, filepath.ToSlash(name), file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 100 {
		t.Fatalf("found only %d Go files", found)
	}
}
