package emulator

import (
	"testing"
	"time"
)

func TestLifetime(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		cdn, general string
		keep         time.Duration
		explicit     bool
	}{
		{"max-age=2", "", 2 * time.Second, true},
		{"MAX-AGE=2 , stale-if-error=60", "", 2 * time.Second, true},
		{`max-age="2"`, "", 2 * time.Second, true},
		{"s-maxage=3, max-age=2", "", 3 * time.Second, true},
		{"max-age=2, s-maxage=3", "", 3 * time.Second, true},
		{"max-age=9999999999999", "", 0, true},
		{"public", "max-age=9", 0, true},
		{"no-store", "max-age=9", 0, true},
		{"max-age=2 no-store", "max-age=9", 9 * time.Second, false},
		{`max-age="2`, "max-age=9", 9 * time.Second, false},
		{"=2", "max-age=9", 9 * time.Second, false},
		{"max-age=", "max-age=9", 9 * time.Second, false},
		{"", "max-age=9, no-store", 0, false},
		{"", `max-age=9, private="a, b"`, 0, false},
		{"", "max-age=9 private", 0, false},
		{"max-age=2", "@", 0, false},
		{"", "", 0, false},
	} {
		keep, explicit := lifetime(tc.cdn, tc.general)
		if keep.lifetime != tc.keep || explicit != tc.explicit {
			t.Errorf("CDN-Cache-Control %q, Cache-Control %q: got %v, %v; want %v, %v", tc.cdn, tc.general, keep, explicit, tc.keep, tc.explicit)
		}
	}
}

func FuzzLifetime(f *testing.F) {
	f.Add("max-age=2", `private="a, b", max-age=1`)
	f.Add(`s-maxage="1`, ",,=")
	f.Fuzz(func(t *testing.T, cdn, general string) {
		keep, explicit := lifetime(cdn, general)
		if keep.lifetime < 0 || explicit && cdn == "" {
			t.Errorf("CDN-Cache-Control %q, Cache-Control %q: got %v, %v", cdn, general, keep, explicit)
		}
		// Whatever else is said, these are obeyed when they are readable at all.
		for _, forbidding := range []string{"no-store", "private", "no-cache"} {
			if keep, _ := lifetime(cdn, forbidding+", "+general); keep.lifetime > 0 && (cdn == "" || forbidding == "private") {
				t.Errorf("%s was not obeyed before %q", forbidding, general)
			}
		}
	})
}

func TestParentTrace(t *testing.T) {
	t.Parallel()
	for parent, want := range map[string]string{
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":  "4bf92f3577b34da6a3ce929d0e0e4736",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01":  "",
		"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":  "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x": "",
		"00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01":  "",
		"": "",
	} {
		if got := parentTrace(parent); got != want {
			t.Errorf("%q names trace %q, want %q", parent, got, want)
		}
	}
}
