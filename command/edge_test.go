package command_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/command"
)

// exitUsage is what a verb ends with that was asked wrongly.
const exitUsage = 80

// What a zone needs is asked for before anything is sent to Cloudflare.
func TestEdgeSaysWhatAZoneNeeds(t *testing.T) {
	t.Parallel()
	zone := []string{"--zone", "023e105f4ecef8ad9ca31a8372d0c353", "--token", "none"}
	account, host := []string{"--account", "01a7362d577a6c3019a474fd6f485823"}, []string{"--hostname", "shop.example.com"}
	for _, verb := range []string{"plan", "apply"} {
		for missing, args := range map[string][]string{
			"--account":            append(append([]string{}, zone...), host...),
			"--hostname":           append(append([]string{}, zone...), account...),
			"CLOUDFLARE_API_TOKEN": append(append(zone[:2:2], account...), host...),
			"--origin":             append(append(append([]string{}, zone...), account...), host...),
		} {
			var out, errOut bytes.Buffer
			if code := command.Main(append([]string{"edge", verb}, args...), &out, &errOut); code != exitUsage || !strings.Contains(errOut.String(), missing) {
				t.Errorf("edge %s without %s: exit code %d: %s", verb, missing, code, errOut.String())
			}
		}
	}
}
