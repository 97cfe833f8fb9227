package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// class is what happens to a documented command in CI.
type class string

const (
	classExecuted class = "executed"
	classParsed   class = "checked without running"
	classExcluded class = "excluded"
)

// table is the decision for each command.
type table struct {
	executed []execution
	excluded []exclusion
	// steps are the commands of .ci/run.
	steps []command
	// used holds the entries that a document mentions.
	used map[string]bool
}

// classify returns the command's class. A make target that CI neither runs nor leaves out for a reason has none, and
// neither has a command that the static checks know nothing about.
func (t *table) classify(c command, checked error) (class, error) {
	if checked != nil && !errors.Is(checked, errNoCheck) {
		return "", checked
	}
	if c.File == "Makefile" {
		return classParsed, nil
	}
	for _, e := range t.executed {
		if c.Block != "" && e.Block == c.File+": "+c.Block || same(e.Command, c) || same(e.Run, c) {
			t.used[e.Command+e.Block] = true
			return classExecuted, nil
		}
	}
	for _, step := range t.steps {
		if slices.Equal(step.Words, c.Words) {
			return classExecuted, nil
		}
	}
	for _, e := range t.excluded {
		if same(e.Command, c) {
			t.used[e.Command] = true
			return classExcluded, nil
		}
	}
	if checked != nil || c.Words[0] == "make" {
		return "", errNoCheck
	}
	return classParsed, nil
}

func same(entry string, c command) bool {
	parsed, err := commandsOf(command{Text: entry})
	return err == nil && len(parsed) == 1 && slices.Equal(parsed[0].Words, c.Words)
}

// unused returns an error for each entry that no document mentions.
func (t *table) unused() []error {
	var problems []error
	note := func(entry string) {
		if !t.used[entry] {
			problems = append(problems, fmt.Errorf("docs/commands/table.go: no document has %q", entry))
		}
	}
	for _, e := range t.executed {
		note(e.Command + e.Block)
	}
	for _, e := range t.excluded {
		note(e.Command)
	}
	return problems
}

var ciStep = regexp.MustCompile(`(?m)^(?:step \S+ )?(make .*)$`)

// ciSteps returns the make commands of .ci/run.
func ciSteps(script string) ([]command, error) {
	var steps []command
	for _, found := range ciStep.FindAllStringSubmatch(script, -1) {
		each, err := commandsOf(command{File: ".ci/run", Text: found[1]})
		if err != nil {
			return nil, err
		}
		steps = append(steps, each...)
	}
	return steps, nil
}
