package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/meridian-store/meridian/"

// testBench starts engines for services' tests; nothing that ships imports it.
const testBench = "services/kit/kittest"

// ban says that what lives under From never imports what lives under To, except what lives under one of Except.
type ban struct {
	from, to string
	except   []string
	reason   string
}

var bans = []ban{
	{from: "geo", to: "", except: []string{"geo"},
		reason: "geo is arithmetic that everything stands on; it needs the standard library alone"},
	{from: "services/contract", to: "", except: []string{"services/contract", "geo"},
		reason: "the contract is a leaf: whatever it imported, every service would depend on"},
	{from: "services/kit", to: "", except: []string{"services/kit", "services/contract", "geo"},
		reason: "the kit knows no service, no replication and no region's files"},
	{from: "feed", to: "", except: []string{"feed", "services/contract", "geo"},
		reason: "reading a file needs no running shop"},
	{from: "replication", to: "services", except: []string{"services/contract", "services/kit"},
		reason: "replication moves any service's events; it must not know one"},
	{from: "replication", to: "regions", reason: "regions assemble replication, not the other way round"},
	{from: "edge", to: "services", except: []string{"services/contract", "services/kit"},
		reason: "the edge sees the shop only through its public API"},
	{from: "edge", to: "regions", reason: "the edge is given its origins; it does not look for them"},
	{from: "regions/engine", to: "services", reason: "an engine does not know who uses it"},
	{from: "regions/process", to: "", except: []string{"regions/process"},
		reason: "supervising a process needs to know nothing of the shop"},
	{from: "regions/link", to: "", except: []string{"regions/link", "geo"},
		reason: "a link carries bytes; it needs to know distances and nothing of the shop"},
	{from: "regions/cluster", to: "regions", except: []string{"regions/cluster"},
		reason: "a region's services run the same on a laptop and in a cluster"},
}

// imported is what `go list -json` says of a package.
type imported struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
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
func TestForbiddenImportsAreFound(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{
		"services/cart":         "services/catalog",
		"services/cart/redis":   "services/order",
		"geo":                   "services/contract",
		"services/kit/httpx":    "services/gateway",
		"services/contract":     "services/kit",
		"services/payment":      "regions/cluster",
		"replication/relay":     "services/order",
		"edge/emulator":         "services/catalog",
		"regions/engine/broker": "services/kit",
	} {
		if forbidden(from, to, true) == "" {
			t.Errorf("%s may import %s", from, to)
		}
	}
	for from, to := range map[string]string{
		"services/cart": "services/kit", "services/order": "replication/outbox", "services/payment": "services/payment/stripe",
		"regions/local": "regions/engine/postgres", "services/kit/kittest": "regions/engine/enginetest",
	} {
		if reason := forbidden(from, to, true); reason != "" {
			t.Errorf("%s may not import %s: %s", from, to, reason)
		}
	}
}

func forbidden(from, to string, ours bool) string {
	if !ours || from == testBench {
		return ""
	}
	if under(from, "services") && under(to, "regions") {
		return "a service is given its region; it does not assemble one"
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

// serviceImportsService tells whether one service depends on another at compile time.
func serviceImportsService(from, to string) string {
	a, b := serviceOf(from), serviceOf(to)
	if a != "" && b != "" && a != b {
		return "each service is built, deployed and tested alone; services meet over HTTP and events"
	}
	return ""
}

// serviceOf gives the service that a package belongs to, "" for the contract, the kit and what is outside services.
func serviceOf(path string) string {
	rest, inside := strings.CutPrefix(path, "services/")
	name, _, _ := strings.Cut(rest, "/")
	if !inside || name == "contract" || name == "kit" {
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

func listPackages(t *testing.T) []imported {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
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
