package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// documents are what is read beside docs/**/*.md.
var documents = []string{"README.md", "CONTRIBUTING.md", "terraform/local/README.md"}

// readDocuments returns the blocks and commands of every document, and the commands of `make help` and the Makefile.
func readDocuments(ctx context.Context, root string) ([]block, []command, error) {
	paths := slices.Clone(documents)
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			relative, err := filepath.Rel(root, path)
			paths = append(paths, relative)
			return err
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	var blocks []block
	var commands []command
	for _, path := range paths {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, nil, err
		}
		b, c, err := parseMarkdown(path, string(text))
		if err != nil {
			return nil, nil, err
		}
		blocks, commands = append(blocks, b...), append(commands, c...)
	}
	help, err := makeHelp(ctx, root)
	if err != nil {
		return nil, nil, err
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return nil, nil, err
	}
	tests, err := makefileTests(string(makefile))
	return blocks, slices.Concat(commands, help, tests), err
}

// checkStatic classifies every command and returns how many each class has, with an error for each that is wrong.
func checkStatic(
	ctx context.Context, root, meridian string, commands []command, t *table, verbose io.Writer,
) (map[class]int, error) {
	scratch, err := os.MkdirTemp("", "meridian-docs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return nil, err
	}
	script, err := os.ReadFile(filepath.Join(root, ".ci/run"))
	if err != nil {
		return nil, err
	}
	if t.steps, err = ciSteps(string(script)); err != nil {
		return nil, err
	}
	t.used = map[string]bool{}
	s := &static{
		root: root, meridian: meridian, scratch: scratch, makefile: string(makefile),
		tests: map[string]testNames{}, seen: map[string]error{},
	}
	counts := map[class]int{}
	var problems []error
	for _, c := range commands {
		class, err := t.classify(c, s.check(ctx, c))
		if err != nil {
			problems = append(problems, &located{c, err})
			continue
		}
		counts[class]++
		fmt.Fprintf(verbose, "%s:%d: %s: %s\n", c.File, c.Line, class, strings.Join(c.Words, " "))
	}
	return counts, errors.Join(append(problems, t.unused()...)...)
}
