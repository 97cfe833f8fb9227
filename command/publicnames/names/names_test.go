package names_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/command/publicnames/names"
	"github.com/meridian-store/meridian/command/publicnames/source"
)

func TestPublicNames_MatchTheCommittedFile(t *testing.T) {
	t.Parallel()
	root, err := source.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	generated, err := names.Text(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile(filepath.Join(root, names.File))
	if err != nil {
		t.Fatal(err)
	}
	if difference := names.Difference(string(committed), generated); difference != "" {
		t.Error(difference)
	}
}

func TestDifference_NamesAddedAndRemovedLines(t *testing.T) {
	t.Parallel()
	difference := names.Difference("a\nb\n", "b\nc\n")
	for _, want := range []string{"- a\n", "+ c\n", names.Command, "commit message"} {
		if !strings.Contains(difference, want) {
			t.Errorf("%q is missing in: %s", want, difference)
		}
	}
	if strings.Contains(difference, " b\n") {
		t.Errorf("an unchanged line is reported: %s", difference)
	}
	if names.Difference("a\n", "a\n") != "" || names.Difference("b\na\n", "a\nb\n") == "" {
		t.Error("equal lists differ, or another order does not")
	}
}
