// Command commands checks every command line of the documents: each is run against a shop, or checked without running,
// or excluded with a reason (table.go).
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Root    string `help:"Folder of Meridian's source." default:"." type:"existingdir"`
	Verbose bool   `help:"Also print each command with its class."`
	Run     bool   `help:"Also run the commands that can be run, against a shop of its own."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("commands"), kong.Description("Check every command line of the documents."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := o.check(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\ncheck-docs: failed\n", err)
		os.Exit(1)
	}
}

func (o *options) check(ctx context.Context, out io.Writer) error {
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return err
	}
	begun := time.Now()
	blocks, commands, err := readDocuments(ctx, root)
	if err != nil {
		return err
	}
	details := io.Discard
	if o.Verbose {
		details = out
	}
	decided := &table{executed: slices.Concat(starting, executed, ending), excluded: excluded}
	counts, err := checkStatic(ctx, root, filepath.Join(root, "bin", "meridian"), commands, decided, details)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d documented commands: %d executed, %d checked without running, %d excluded (%.1f s)\n",
		len(commands), counts[classExecuted], counts[classParsed], counts[classExcluded], time.Since(begun).Seconds())
	for _, e := range excluded {
		fmt.Fprintf(out, "excluded: %s: %s\n", e.Command, e.Reason)
	}
	if !o.Run {
		return nil
	}
	return runAll(ctx, root, blocks, out)
}
