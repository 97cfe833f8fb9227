package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// localCode are parts of symbol names that only code for one machine has, by what the code is.
var localCode = map[string]string{
	"packages below local":    "github.com/meridian-store/meridian/local/",
	"the edge emulator":       "github.com/meridian-store/meridian/local/emulator.",
	"the payment sandbox":     "github.com/meridian-store/meridian/local/sandbox.",
	"the search stand-in":     "github.com/meridian-store/meridian/local/engine/search.",
	"the broker stand-in":     "github.com/twmb/franz-go/pkg/kfake.",
	"the proxies of links":    "github.com/Shopify/toxiproxy",
	"the stand-ins' database": "go.etcd.io/bbolt.",
}

func TestProductionBinary_HasNoLocalCode(t *testing.T) {
	t.Parallel()
	production := buildProgram(t, []string{"CGO_ENABLED=0"}, "-tags", "production")
	whole := buildProgram(t, nil)
	shipped, everything := readSymbols(t, production), readSymbols(t, whole)
	for what, name := range localCode {
		if found := shipped.with(name); len(found) > 0 {
			t.Errorf("the production program contains %s: %d symbols, such as %s", what, len(found), found[0])
		}
		// Without this the test would pass when symbols are called otherwise.
		if len(everything.with(name)) == 0 {
			t.Errorf("the default program does not contain %s by the name %s", what, name)
		}
	}
	t.Logf("stripped sizes: production %.1f MB, default %.1f MB",
		megabytes(shipped.stripped), megabytes(everything.stripped))

	// A verb that needs an address names the flag that gives it; a verb for one machine is not there.
	for args, want := range map[string]string{
		"migrate":                                "--admin-url",
		"audit":                                  "--sql-url",
		"edge plan":                              "--zone",
		"edge purge --everything":                "--zone",
		"audit --sql-url postgres://x@localhost": "MERIDIAN_PAYMENT_PROVIDER",
		"up":                                     "unexpected argument up",
		"drill region-loss":                      "unexpected argument drill",
	} {
		code, problems := runProgram(t, production, strings.Fields(args)...)
		if code == 0 || !strings.Contains(problems, want) || strings.Count(problems, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q; want %s in one line", args, code, problems, want)
		}
	}
	if code, problems := runProgram(t, production, "geo", "explain", "--country", "BR"); code != 0 {
		t.Errorf("geo explain: exit code %d: %s", code, problems)
	}
}

// buildProgram builds this package with its symbols and returns the program's path.
func buildProgram(t *testing.T, environment []string, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "meridian")
	args := append(append([]string{"build", "-trimpath", "-o", path}, flags...), ".")
	build := exec.CommandContext(t.Context(), "go", args...)
	build.Env = append(os.Environ(), environment...)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, output)
	}
	return path
}

// runProgram runs a program with an empty environment and returns its exit code and its standard error.
func runProgram(t *testing.T, path string, args ...string) (code int, problems string) {
	t.Helper()
	var stderr bytes.Buffer
	program := exec.CommandContext(t.Context(), path, args...)
	program.Env, program.Stderr = []string{}, &stderr
	err := program.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return program.ProcessState.ExitCode(), stderr.String()
}

// symbolTable holds the names of a program's symbols, and its size.
type symbolTable struct {
	names []string
	// stripped is the program's size in bytes without symbols and debugging data, as with -ldflags '-s -w'.
	stripped uint64
}

func (s symbolTable) with(part string) []string {
	var found []string
	for _, name := range s.names {
		if strings.Contains(name, part) {
			found = append(found, name)
		}
	}
	return found
}

func readSymbols(t *testing.T, path string) symbolTable {
	t.Helper()
	table, err := symbolsOf(path)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func symbolsOf(path string) (table symbolTable, err error) {
	file, err := elf.Open(path)
	if err != nil {
		return table, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	symbols, err := file.Symbols()
	if err != nil {
		return table, fmt.Errorf("%s: %w", path, err)
	}
	for _, symbol := range symbols {
		table.names = append(table.names, symbol.Name)
	}
	info, err := os.Stat(path)
	if err != nil {
		return table, err
	}
	table.stripped = uint64(info.Size())
	for _, section := range file.Sections {
		if section.Name == ".symtab" || section.Name == ".strtab" || strings.HasPrefix(section.Name, ".debug_") {
			table.stripped -= section.FileSize
		}
	}
	return table, nil
}

func megabytes(size uint64) float64 { return float64(size) / 1e6 }
