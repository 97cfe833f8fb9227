package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

var (
	helpLine    = regexp.MustCompile(`^  make (\S+)\s+(.*)$`)
	helpArgs    = regexp.MustCompile(`ARGS="[^"]*"`)
	goTestRules = regexp.MustCompile(`(?:^|[@ ;\t])(go test .*-run [^|]*)`)
	variable    = regexp.MustCompile(`(?m)^([A-Z_]+) := (.*)$`)
)

// makeHelp returns the commands that `make help` lists: each target, and each ARGS="…" of its description.
func makeHelp(ctx context.Context, root string) ([]command, error) {
	list := exec.CommandContext(ctx, "make", "--no-print-directory", "-C", root, "help")
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("make help: %w", err)
	}
	var commands []command
	for i, line := range strings.Split(string(output), "\n") {
		found := helpLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		texts := []string{"make " + found[1]}
		for _, args := range helpArgs.FindAllString(found[2], -1) {
			texts = append(texts, "make "+found[1]+" "+args)
		}
		for _, text := range texts {
			each, err := commandsOf(command{File: "make help", Line: i + 1, Text: text})
			if err != nil {
				return nil, err
			}
			commands = append(commands, each...)
		}
	}
	if len(commands) == 0 {
		return nil, fmt.Errorf("make help lists no target: %s", bytes.TrimSpace(output))
	}
	return commands, nil
}

// makefileTests returns the `go test -run` lines of the Makefile's recipes: a renamed test would no longer run there.
func makefileTests(text string) ([]command, error) {
	variables := map[string]string{}
	for _, found := range variable.FindAllStringSubmatch(text, -1) {
		variables[found[1]] = strings.ReplaceAll(found[2], "$$", "$")
	}
	var commands []command
	for i, line := range strings.Split(text, "\n") {
		found := goTestRules.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		rule := found[1]
		for name, value := range variables {
			rule = strings.ReplaceAll(rule, "$("+name+")", value)
		}
		each, err := commandsOf(command{File: "Makefile", Line: i + 1, Text: rule})
		if err != nil {
			return nil, err
		}
		commands = append(commands, each...)
	}
	return commands, nil
}
