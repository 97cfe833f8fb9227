package drill

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestLagCountsWhatIsMissingDoubledAndOutOfOrder(t *testing.T) {
	t.Parallel()
	sent := func(ids ...string) []entry {
		var all []entry
		for _, id := range ids {
			all = append(all, entry{id: id, sender: "us-east", lane: "order-events/0/a", counted: true})
		}
		return all
	}
	compacted := func(all []entry) []entry {
		for i := range all {
			all[i].compacted = true
		}
		return all
	}
	ours := entry{id: "own", sender: "eu-west", lane: "order-events/0/a"}
	for name, tc := range map[string]struct {
		source, target []entry
		want           Lag
	}{
		"whole":            {sent("1", "2"), append(sent("1", "2"), ours), Lag{Events: 2}},
		"missing":          {sent("1", "2", "3"), sent("1"), Lag{Events: 3, Behind: 2}},
		"doubled":          {sent("1", "2"), sent("1", "1", "2"), Lag{Events: 2, Doubled: 1}},
		"sent twice":       {sent("1", "1"), sent("1", "1"), Lag{Events: 1}},
		"out of order":     {sent("1", "2", "3"), sent("2", "1", "3"), Lag{Events: 3, Disordered: 1}},
		"others' events":   {[]entry{ours}, []entry{ours, ours}, Lag{}},
		"before it began":  {[]entry{{id: "0", sender: "us-east"}}, nil, Lag{}},
		"compacted away":   {compacted(sent("1", "2")), compacted(sent("2")), Lag{Events: 2}},
		"another's newest": {compacted(sent("1")), compacted([]entry{ours}), Lag{Events: 1}},
		"another's cart":   {compacted(sent("1")), compacted([]entry{{id: "own", sender: "eu-west", lane: "order-events/0/b"}}), Lag{Events: 1, Behind: 1}},
		"newest missing":   {compacted(sent("1", "2")), compacted(sent("1")), Lag{Events: 2, Behind: 1}},
		"gone from source": {nil, sent("1"), Lag{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Source, tc.want.Target = "us-east", "eu-west"
			if got := compare("us-east", "eu-west", tc.source, tc.target); got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestAFaithfulCopyHasNoLagWhateverLiesBetween(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lanes := rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c"})).Draw(t, "lanes")
		var source []entry
		for i, lane := range lanes {
			source = append(source, entry{id: string(rune('A' + i)), sender: "us-east", lane: lane, counted: true})
		}
		// The lanes may be woven into each other in another way: here lane by lane.
		target := slices.Clone(source)
		slices.SortStableFunc(target, func(a, b entry) int { return int(a.lane[0]) - int(b.lane[0]) })
		if lag := compare("us-east", "eu-west", source, target); lag.Behind+lag.Doubled+lag.Disordered != 0 || lag.Events != len(source) {
			t.Errorf("%+v", lag)
		}
		if len(source) == 0 {
			return
		}
		lost := rapid.IntRange(0, len(target)-1).Draw(t, "lost")
		if lag := compare("us-east", "eu-west", source, slices.Delete(target, lost, lost+1)); lag.Behind != 1 {
			t.Errorf("one is lost: %+v", lag)
		}
	})
}
