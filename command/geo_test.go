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
		"BR": {"BR belongs to us-east.", "From São Paulo (GRU), served by us-east:", "1      us-east", "nearest", "unknown"},
		"us": {"US belongs to us-east.", "(IAD)", "(JFK)", "(SFO)", "(ORD)"},
		"RE": {"RE belongs to eu-west.", "for want of an edge location in RE", "keeps the shoppers of RE"},
		"IR": {"IR is not served: every region refuses it"},
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

func TestGeoExplainRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		`"UK" is not an ISO`:            {"--country", "UK"},
		`"XXX" is not the IATA code`:    {"--country", "BR", "--location", "XXX"},
		"no edge location stands in AQ": {"--country", "AQ"},
	} {
		code, _, problems := run(t, append([]string{"geo", "explain"}, args...)...)
		if code != 80 || !strings.Contains(problems, want) {
			t.Errorf("%v: exit %d, %q", args, code, problems)
		}
	}
}
