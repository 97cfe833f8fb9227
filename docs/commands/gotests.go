package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// testNames are the functions of a package's test files.
type testNames []string

// checkGo checks `go test`, `go run` and `go build`: their packages exist, and each -run and -bench matches something.
func (s *static) checkGo(args []string) error {
	if len(args) == 0 || !slices.Contains([]string{"test", "run", "build"}, args[0]) {
		return errNoCheck
	}
	run, bench := "", ""
	var packages []string
	for i := 1; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		switch {
		case !strings.HasPrefix(name, "-"):
			packages = append(packages, args[i])
			continue
		case !joined && slices.Contains([]string{"-run", "-bench", "-timeout", "-count", "-o", "-tags"}, name):
			if i++; i == len(args) {
				return fmt.Errorf("%s has no value", name)
			}
			value = args[i]
		}
		switch name {
		case "-run":
			run = value
		case "-bench":
			bench = value
		}
	}
	var names testNames
	for _, p := range packages {
		if strings.Contains(p, "@") {
			continue // another module's
		}
		found, err := s.testsOf(p)
		if err != nil {
			return err
		}
		names = append(names, found...)
	}
	if run != "" && run != "^$" {
		if err := names.match(run, "Test", "Fuzz", "Example"); err != nil {
			return fmt.Errorf("-run %w", err)
		}
	}
	if bench != "" {
		if err := names.match(bench, "Benchmark"); err != nil {
			return fmt.Errorf("-bench %w", err)
		}
	}
	return nil
}

// alternation is a pattern of whole names: each of them has to exist.
var alternation = regexp.MustCompile(`^\^?\(([A-Za-z0-9_|]+)\)\$?$`)

func (names testNames) match(pattern string, prefixes ...string) error {
	pattern, _, _ = strings.Cut(pattern, "/") // subtests are not looked for
	patterns := []string{pattern}
	if list := alternation.FindStringSubmatch(pattern); list != nil {
		patterns = nil
		for each := range strings.SplitSeq(list[1], "|") {
			patterns = append(patterns, strings.Replace(pattern, list[1], each, 1))
		}
	}
	for _, each := range patterns {
		expression, err := regexp.Compile(each)
		if err != nil {
			return fmt.Errorf("%q: %w", each, err)
		}
		matches := func(name string) bool {
			hasName := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
			return expression.MatchString(name) && slices.ContainsFunc(prefixes, hasName)
		}
		if !slices.ContainsFunc(names, matches) {
			return fmt.Errorf("%q matches nothing", each)
		}
	}
	return nil
}

// testsOf returns the test functions of a package, or of all packages below it for "…/...".
func (s *static) testsOf(pattern string) (testNames, error) {
	if names, found := s.tests[pattern]; found {
		return names, nil
	}
	relative, below := strings.CutSuffix(pattern, "...")
	folder := filepath.Join(s.root, relative)
	var names testNames
	sources := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != folder && (!below || strings.HasPrefix(entry.Name(), ".")):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go"):
			return nil
		}
		sources++
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		found, err := functionsOf(path)
		names = append(names, found...)
		return err
	})
	if errors.Is(err, os.ErrNotExist) || err == nil && sources == 0 {
		return nil, fmt.Errorf("there is no package %s", pattern)
	}
	if err != nil {
		return nil, err
	}
	s.tests[pattern] = names
	return names, nil
}

func functionsOf(path string) (testNames, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	var names testNames
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
			names = append(names, function.Name.Name)
		}
	}
	return names, nil
}
