package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// located is an error about a command of a document.
type located struct {
	command
	cause error
}

func (l *located) Error() string {
	return fmt.Sprintf("%s:%d: %s: %v", l.File, l.Line, l.Text, l.cause)
}

func (l *located) Unwrap() error { return l.cause }

// errNoCheck is returned by static.check for a program that it knows nothing about.
var errNoCheck = errors.New("nothing checks this command: add it to executed or excluded in docs/commands/table.go")

// static checks commands without running them.
type static struct {
	root string
	// meridian is the program whose command line is checked.
	meridian string
	// scratch holds the files that commands name as examples.
	scratch  string
	makefile string
	tests    map[string]testNames
	seen     map[string]error
}

// check returns nil when the command is one that its program accepts.
func (s *static) check(ctx context.Context, c command) error {
	key := strings.Join(c.Words, "\x00")
	if err, found := s.seen[key]; found {
		return err
	}
	err := s.checkProgram(ctx, c.Words)
	s.seen[key] = err
	return err
}

func (s *static) checkProgram(ctx context.Context, words simple) error {
	switch words[0] {
	case "meridian":
		return s.checkMeridian(ctx, words[1:])
	case "make":
		return s.checkMake(words[1:])
	case "go":
		return s.checkGo(words[1:])
	case "bash":
		return s.checkScript(ctx, words[1:])
	case ".ci/run":
		return s.checkScript(ctx, words)
	case "terraform", "tofu":
		return s.checkTerraform(words[1:])
	}
	return errNoCheck
}

// exampleFile matches the names of files that documents use as examples.
var exampleFile = regexp.MustCompile(`^([a-z]+\.(csv|xml|tsv)|FILE)$`)

// checkMeridian has the program parse the command line with --help behind it: the parser refuses what it does not know
// before it prints the help, and nothing runs.
func (s *static) checkMeridian(ctx context.Context, args []string) error {
	for _, arg := range args {
		if exampleFile.MatchString(arg) {
			if err := os.WriteFile(filepath.Join(s.scratch, arg), nil, 0o600); err != nil {
				return err
			}
		}
	}
	parse := exec.CommandContext(ctx, s.meridian, append(slices.Clone(args), "--help")...)
	parse.Dir = s.scratch
	var help, refusal bytes.Buffer
	parse.Stdout, parse.Stderr = &help, &refusal
	if err := parse.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(refusal.String()))
	}
	// The parser takes any name of a drill; its help lists those that exist.
	isDrill := len(args) > 1 && args[0] == "drill" && strings.ToLower(args[1]) == args[1]
	if isDrill && !strings.Contains(help.String(), args[1]+" ") {
		return fmt.Errorf("`meridian drill --help` lists no drill %s", args[1])
	}
	return nil
}

func (s *static) checkMake(args []string) error {
	for _, arg := range args {
		if isAssignment(arg) {
			if name, _, _ := strings.Cut(arg, "="); !strings.Contains(s.makefile, "$("+name+")") {
				return fmt.Errorf("no rule of the Makefile uses %s", name)
			}
			continue
		}
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(arg) + `:`).MatchString(s.makefile) {
			return fmt.Errorf("the Makefile has no target %s", arg)
		}
	}
	return nil
}

func (s *static) checkScript(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("no script is named")
	}
	parse := exec.CommandContext(ctx, "bash", "-n", args[0])
	parse.Dir = s.root
	if output, err := parse.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(output))
	}
	return nil
}

// checkTerraform looks for the folder, the variables and the resources that the command names. Without -chdir it is
// taken to be about terraform/local.
func (s *static) checkTerraform(args []string) error {
	folder := "terraform/local"
	for _, arg := range args {
		if named, found := strings.CutPrefix(arg, "-chdir="); found {
			folder = named
		}
	}
	files, err := filepath.Glob(filepath.Join(s.root, folder, "*.tf"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s has no Terraform configuration", folder)
	}
	var text strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text.Write(content)
	}
	for i, arg := range args {
		if i > 0 && args[i-1] == "-var" {
			if name, _, _ := strings.Cut(arg, "="); !strings.Contains(text.String(), fmt.Sprintf("variable %q", name)) {
				return fmt.Errorf("%s declares no variable %s", folder, name)
			}
		}
		if i > 0 && args[0] == "import" {
			address, _, _ := strings.Cut(arg, "[")
			kind, name, found := strings.Cut(address, ".")
			if found && !strings.Contains(text.String(), fmt.Sprintf("resource %q %q", kind, name)) {
				return fmt.Errorf("%s has no resource %s", folder, address)
			}
		}
	}
	return nil
}
