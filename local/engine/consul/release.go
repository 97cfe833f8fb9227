package consul

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/meridian-store/meridian/local/engine"
)

// release is a Consul version: settings came and went with them, and Consul refuses
// those that it does not know.
type release struct{ major, minor int }

func (r release) atLeast(major, minor int) bool {
	return r.major > major || r.major == major && r.minor >= minor
}

var releaseLine = regexp.MustCompile(`(?m)^Consul v(\d{1,6})\.(\d{1,6})\.`)

func readRelease(ctx context.Context, program engine.Program) (release, error) {
	cmd := exec.CommandContext(ctx, program.Path, "version") //nolint:gosec // the Consul that engine.Find found
	cmd.Env = append(os.Environ(), program.Env...)
	output, err := cmd.Output()
	if err != nil {
		return release{}, fmt.Errorf("ask %s for its version: %w", program.Path, err)
	}
	return parseRelease(string(output))
}

func parseRelease(output string) (release, error) {
	match := releaseLine.FindStringSubmatch(output)
	if match == nil {
		return release{}, fmt.Errorf("%q names no Consul version", output)
	}
	major, err1 := strconv.Atoi(match[1])
	minor, err2 := strconv.Atoi(match[2])
	if err1 != nil || err2 != nil {
		return release{}, fmt.Errorf("%q names no Consul version", match[0])
	}
	return release{major: major, minor: minor}, nil
}
