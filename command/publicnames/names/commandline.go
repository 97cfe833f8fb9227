package names

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/meridian-store/meridian/command"
	"github.com/meridian-store/meridian/local/drill"
)

// commandLine lists the verbs of the program with arguments, flags, their variables, and the exit codes.
func commandLine(_ context.Context, to *list) error {
	model, err := command.Model()
	if err != nil {
		return err
	}
	verbs(model.Node, "", to)
	for _, code := range command.ExitCodes() {
		to.add("exit-code", fmt.Sprint(code))
	}
	for _, d := range drill.Drills() {
		to.add("drill", d.Name)
	}
	return nil
}

// verbs lists a verb, named by its path, and those below it.
func verbs(node *kong.Node, path string, to *list) {
	if path != "" {
		to.add("command", path)
	}
	for _, alias := range node.Aliases {
		to.add("command-alias", path, alias)
	}
	for _, argument := range node.Positional {
		to.add("argument", path, "<"+argument.Name+">", required(argument.Required), choices(argument))
	}
	for _, flag := range node.Flags {
		name := "--" + flag.Name
		if flag.Short != 0 {
			name = fmt.Sprintf("-%c, %s", flag.Short, name)
		}
		to.add("command", path, name, required(flag.Required), choices(flag.Value))
		for _, alias := range flag.Aliases {
			to.add("command", path, "--"+alias)
		}
		for _, variable := range flag.Envs {
			to.add("flag-environment", path, "--"+flag.Name, variable)
		}
	}
	for _, child := range node.Children {
		verbs(child, strings.TrimSpace(path+" "+child.Name), to)
	}
}

// choices writes the values that a flag or argument admits, when it names them, as one word.
func choices(value *kong.Value) string {
	all := slices.DeleteFunc(value.EnumSlice(), func(choice string) bool { return choice == "" })
	if len(all) == 0 {
		return ""
	}
	return "values=" + strings.Join(all, "|")
}
