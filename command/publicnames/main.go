// The publicnames command writes docs/public-names.txt, the list of names that programs outside this repository rely
// on.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meridian-store/meridian/command/publicnames/names"
	"github.com/meridian-store/meridian/command/publicnames/source"
)

func main() {
	check := flag.Bool("check", false, "compare with the committed file, write nothing; exit code 1 when they differ")
	flag.Parse()
	if err := run(context.Background(), *check); err != nil {
		fmt.Fprintln(os.Stderr, "publicnames:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, check bool) error {
	root, err := source.Root(".")
	if err != nil {
		return err
	}
	text, err := names.Text(ctx, root)
	if err != nil {
		return err
	}
	path := filepath.Join(root, names.File)
	if !check {
		return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // a file of the repository
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if difference := names.Difference(string(committed), text); difference != "" {
		return fmt.Errorf("%s", difference)
	}
	return nil
}
