package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

type version struct {
	JSON bool `help:"Print one JSON document."`
}

// Run prints what this binary was built from.
func (v *version) Run(e *env) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary was built without module information")
	}
	facts := map[string]string{"version": info.Main.Version, "go": info.GoVersion}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			facts["revision"] = setting.Value
		}
	}
	if v.JSON {
		return printJSON(e.out, facts)
	}
	_, err := fmt.Fprintf(e.out, "meridian %s %s\n", facts["version"], facts["go"])
	return err
}

func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
