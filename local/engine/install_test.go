package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// install runs install.sh on a machine that has only the given tools and no engine, and
// returns what it says.
func install(t *testing.T, tools ...string) (output string, err error) {
	t.Helper()
	bin := t.TempDir()
	for _, tool := range tools {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "install.sh")
	cmd.Env = []string{"PATH=" + bin, "MERIDIAN_ENGINES=" + t.TempDir(), "MERIDIAN_ENGINES_PRIVATE=1"}
	said, err := cmd.CombinedOutput()
	return string(said), err
}

func TestInstallSaysWhatItCannotDoWithout(t *testing.T) {
	t.Parallel()
	said, err := install(t, "bash", "dirname", "cat", "cksum", "mkdir", "flock")
	if err == nil {
		t.Fatalf("it succeeded without apt-get:\n%s", said)
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	last := lines[len(lines)-1]
	for _, want := range []string{"postgres", "apt-get", "region file"} {
		if !strings.Contains(last, want) {
			t.Errorf("last line %q lacks %q", last, want)
		}
	}
}
