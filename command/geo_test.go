package command_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/command"
)

// run runs a verb beside no running copy.
func run(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var printed, problems bytes.Buffer
	code = command.Main(append([]string{"--home", t.TempDir()}, args...), &printed, &problems)
	return code, printed.String(), problems.String()
}

func TestGeoExplainSaysWhoServesACountryAndWhy(t *testing.T) {
	t.Parallel()
	for country, want := range map[string][]string{
		"BR": {"BR", "us-east", "São Paulo", "(GRU)", "1      us-east", "unknown"},
		"us": {"US", "us-east", "(IAD)", "(JFK)", "(SFO)", "(ORD)"},
		"RE": {"RE", "1      eu-west"},
		"IR": {"IR", "451"},
	} {
		code, out, problems := run(t, "geo", "explain", "--country", country)
		if code != 0 {
			t.Errorf("%s: exit %d: %s", country, code, problems)
		}
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%s: %q is not in\n%s", country, text, out)
			}
		}
	}
}

func TestGeoExplainAsJSON(t *testing.T) {
	t.Parallel()
	code, out, problems := run(t, "geo", "explain", "--country", "RE", "--location", "SIN", "--json")
	var told struct {
		Country, Home string
		Embargoed     bool
		Views         []struct {
			Location, Serves string
			Regions          []struct {
				Region, Reason, Health string
				Place                  int
				DistanceKM             int64 `json:"distance_km"`
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || code != 0 {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, problems)
	}
	if told.Country != "RE" || told.Home != "eu-west" || told.Embargoed || len(told.Views) != 1 || told.Views[0].Serves != "eu-west" {
		t.Fatalf("got %+v", told)
	}
	first, second := told.Views[0].Regions[0], told.Views[0].Regions[1]
	if first.Region != "eu-west" || first.Reason != "resident" || first.Place != 1 || first.Health != "unknown" ||
		second.Region != "ap-southeast" || second.Reason != "distance" || second.DistanceKM > 10 {
		t.Errorf("first %+v, then %+v", first, second)
	}
}

func TestGeoExplain_JSONGivesReasonWithoutLocation(t *testing.T) {
	t.Parallel()
	type view struct {
		Location, Serves string
		Regions          []struct{ Region, Reason string }
	}
	for country, want := range map[string]struct{ location, region, reason string }{
		"BR": {"GRU", "us-east", "distance"}, "RE": {"", "eu-west", "resident"},
	} {
		code, out, problems := run(t, "geo", "explain", "--country", country, "--json")
		var told struct{ Views []view }
		if err := json.Unmarshal([]byte(out), &told); err != nil || code != 0 || len(told.Views) == 0 {
			t.Fatalf("%s: exit %d, %v: %s%s", country, code, err, out, problems)
		}
		first := told.Views[0]
		if first.Location != want.location || first.Serves != want.region || first.Regions[0].Reason != want.reason {
			t.Errorf("%s: got %+v, want %+v", country, first, want)
		}
	}
}

func TestGeoExplainRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		`--country "UK"`:   {"--country", "UK"},
		`--location "XXX"`: {"--country", "BR", "--location", "XXX"},
		"AQ":               {"--country", "AQ"},
	} {
		code, _, problems := run(t, append([]string{"geo", "explain"}, args...)...)
		if code != 80 || !strings.Contains(problems, want) {
			t.Errorf("%v: exit %d, %q", args, code, problems)
		}
	}
}
