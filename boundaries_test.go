package main

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/meridian-store/meridian/"

// ban forbids packages below from to import packages below to, except those below one of except.
type ban struct {
	from, to string
	except   []string
	reason   string
}

var bans = []ban{
	{from: "geo", to: "", except: []string{"geo"},
		reason: "geo is arithmetic that everything stands on; it needs the standard library alone"},
	{from: "contract", to: "", except: []string{"contract", "geo"},
		reason: "the contract is a leaf: whatever it imported, every service would depend on"},
	{from: "kit", to: "", except: []string{"kit", "contract", "geo"},
		reason: "the kit knows no service, no replication and no region's files"},
	{from: "feed", to: "", except: []string{"feed", "contract", "geo"},
		reason: "reading a file needs no running shop"},
	{from: "services", to: "", except: []string{"services", "contract", "kit", "geo", "feed", "replication"},
		reason: "a service is given its region and its engines; it does not assemble or look for them"},
	{from: "replication", to: "", except: []string{"replication", "contract", "kit", "geo"},
		reason: "replication moves the events of any service; it must not know one"},
	{from: "edge", to: "", except: []string{"edge", "contract", "kit", "geo"},
		reason: "the edge sees the shop only through its public API"},
	{from: "regions", to: "local",
		reason: "a region runs the same on a laptop and in a cluster; local is not in the shipped image"},
	{from: "regions", to: "command", reason: "commands use regions, not the other way round"},
	{from: "regions/cluster", to: "regions", except: []string{"regions/cluster"},
		reason: "a region's services are given their region; they do not read region files"},
	{from: "local", to: "command", reason: "commands use the local launcher, not the other way round"},
	{from: "local/engine", to: "services", reason: "an engine does not know its clients"},
	{from: "local/process", to: "", except: []string{"local/process"},
		reason: "supervising a process needs to know nothing of the shop"},
	// kit/httpclient: TLS is configured in one place.
	{from: "local/link", to: "", except: []string{"local/link", "geo", "kit/httpclient"},
		reason: "a link carries bytes; it needs to know distances and nothing of the shop"},
	{from: "kit/httpclient", to: "", except: []string{"kit/httpclient"},
		reason: "every package constructs its HTTP clients with it, also those that know nothing of the shop"},
}

// localImporters are the folders and files, outside local, whose code may import local. Tests may everywhere: they
// start real engines.
var localImporters = []struct{ path, reason string }{
	{"command/local_", "the verbs for one machine; a production program is built without them"},
	{"loadtest/", "programs of their own that measure a copy on this machine; they are not shipped"},
	{"journeys/", "tests alone"},
	{"command/publicnames/", "a program of its own that lists the names of the local verbs too; it is not shipped"},
}

// imported is what `go list -json` says of a package.
type imported struct {
	ImportPath   string
	Deps         []string // of code alone, direct and indirect
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	packages := listPackages(t, "./...")
	for _, p := range packages {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, to := range p.Imports {
			if reason := forbidden(from, strings.TrimPrefix(to, module), strings.HasPrefix(to, module)); reason != "" {
				t.Errorf("%s imports %s: %s", from, strings.TrimPrefix(to, module), reason)
			}
		}
		for _, to := range append(p.TestImports, p.XTestImports...) {
			if reason := serviceImportsService(from, strings.TrimPrefix(to, module)); reason != "" {
				t.Errorf("a test of %s imports %s: %s", from, strings.TrimPrefix(to, module), reason)
			}
		}
	}
}

// The rules themselves are tested, because a test that forbids nothing passes too.
func TestForbidden_FindsBannedImports(t *testing.T) {
	t.Parallel()
	for _, banned := range [][2]string{
		{"services/cart", "services/catalog"},
		{"services/cart/redis", "services/order"},
		{"geo", "contract"},
		{"kit/httpx", "services/gateway"},
		{"kit", "local/kittest"},
		{"contract", "kit"},
		{"services/payment", "local/sandbox"},
		{"services/search", "regions/cluster"},
		{"replication/relay", "services/order"},
		{"edge/purge", "local/emulator"},
		{"regions/doctor", "local/launcher"},
		{"local/engine/broker", "services/cart"},
	} {
		if forbidden(banned[0], banned[1], true) == "" {
			t.Errorf("%s may import %s", banned[0], banned[1])
		}
	}
	for _, allowed := range [][2]string{
		{"services/cart", "kit"}, {"services/order", "replication/outbox"}, {"services/payment", "services/payment/stripe"},
		{"local/launcher", "local/engine/postgres"}, {"local/kittest", "kit"},
	} {
		if reason := forbidden(allowed[0], allowed[1], true); reason != "" {
			t.Errorf("%s may not import %s: %s", allowed[0], allowed[1], reason)
		}
	}
}

// A package may reach another service through a third one, which its own imports do not show.
func TestService_DependsOnNoOtherService(t *testing.T) {
	t.Parallel()
	services := map[string]bool{}
	for _, p := range listPackages(t, "./services/...") {
		from := strings.TrimPrefix(p.ImportPath, module)
		services[serviceOf(from)] = true
		for _, to := range p.Deps {
			if reason := serviceImportsService(from, strings.TrimPrefix(to, module)); reason != "" {
				t.Errorf("%s depends on %s: %s", from, strings.TrimPrefix(to, module), reason)
			}
		}
	}
	if len(services) < 9 {
		t.Errorf("go list found only the services %v", services)
	}
}

// The production program is the shipped image's: what exists to run, break or measure a copy on one machine has no
// place there.
func TestProduction_DependsOnNothingLocal(t *testing.T) {
	t.Parallel()
	local := 0
	for _, production := range []bool{true, false} {
		packages := listPackages(t, "-deps", "-tags="+map[bool]string{true: "production"}[production], ".")
		for _, p := range packages {
			switch path := strings.TrimPrefix(p.ImportPath, module); {
			case !under(path, "local"):
			case production:
				t.Errorf("the production program depends on %s", path)
			default:
				local++
			}
		}
	}
	if local == 0 {
		t.Error("the default program depends on nothing local either, so that this test can not fail")
	}
}

// Build tags hide files from `go list`; this test reads every file.
func TestLocal_IsImportedWhereItMayBe(t *testing.T) {
	t.Parallel()
	found := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || under(path, "local") {
			return err
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if to, ours := strings.CutPrefix(to, module); ours && under(to, "local") {
				found++
				if !mayImportLocal(path) {
					t.Errorf("%s imports %s: a production program is built without local; only tests and %v may import it",
						path, to, localImporters)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("no file imports local: the test looks in the wrong place")
	}
}

func mayImportLocal(path string) bool {
	for _, importer := range localImporters {
		if strings.HasPrefix(filepath.ToSlash(path), importer.path) {
			return true
		}
	}
	return false
}

func forbidden(from, to string, ours bool) string {
	if !ours {
		return ""
	}
	if reason := serviceImportsService(from, to); reason != "" {
		return reason
	}
	for _, b := range bans {
		if under(from, b.from) && under(to, b.to) && !underAny(to, b.except) {
			return b.reason
		}
	}
	return ""
}

// serviceImportsService returns the reason when one service depends on another at compile time.
func serviceImportsService(from, to string) string {
	a, b := serviceOf(from), serviceOf(to)
	if a != "" && b != "" && a != b {
		return "each service is built, deployed and tested alone; services meet over HTTP and events"
	}
	return ""
}

// serviceOf returns the service that a package belongs to, "" outside services.
func serviceOf(path string) string {
	rest, inside := strings.CutPrefix(path, "services/")
	name, _, _ := strings.Cut(rest, "/")
	if !inside {
		return ""
	}
	return name
}

func under(path, folder string) bool {
	return folder == "" || path == folder || strings.HasPrefix(path, folder+"/")
}

func underAny(path string, folders []string) bool {
	for _, folder := range folders {
		if under(path, folder) {
			return true
		}
	}
	return false
}

func listPackages(t *testing.T, args ...string) []imported {
	t.Helper()
	args = append([]string{"list", "-json=ImportPath,Deps,Imports,TestImports,XTestImports"}, args...)
	output, err := exec.CommandContext(t.Context(), "go", args...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []imported
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for {
		var p imported
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 10 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	return packages
}
