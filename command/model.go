package command

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// Model returns the verbs with their arguments and flags.
func Model() (*kong.Application, error) {
	parser, err := newParser(&verbs{}, io.Discard, io.Discard, func(int) {})
	if err != nil {
		return nil, fmt.Errorf("read the verbs: %w", err)
	}
	return parser.Model, nil
}

// ExitCodes lists the codes with which the program ends, in order.
func ExitCodes() []int { return []int{exitOK, exitFailed, exitDiffers, exitNotThere, exitUsage} }

func newParser(cli *verbs, out, errOut io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(cli, kong.Name("meridian"),
		kong.Description(description), kong.Vars(helpTexts()),
		kong.Writers(out, errOut), kong.Exit(exit), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
}
