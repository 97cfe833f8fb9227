package geo_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/geo"
)

// sample is the example of the ULID specification.
const sample = "ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAV"

func maker(millis int64, random [10]byte) geo.IDs {
	return geo.IDs{
		Clock:  func() time.Time { return time.UnixMilli(millis) },
		Random: bytes.NewReader(random[:]),
	}
}

func TestNewIDIsDeterministicWithItsOwnClockAndRandom(t *testing.T) {
	t.Parallel()
	// The ULID specification: 01ARZ3NDEK is 1469922850259 ms; its 80 random bits follow.
	ids := maker(1469922850259, [10]byte{0xd6, 0x76, 0x4c, 0x61, 0xef, 0xb9, 0x93, 0x02, 0xbd, 0x5b})
	if got := ids.New("ord", "use"); got != sample {
		t.Errorf("got %s, want %s", got, sample)
	}
}

func TestNewIDIsOfNowAndNeverRepeats(t *testing.T) {
	t.Parallel()
	before := time.Now().Truncate(time.Millisecond)
	seen := make(map[string]bool)
	for range 1000 {
		text := geo.NewID("crt", "aps")
		if seen[text] {
			t.Fatalf("%s was made twice", text)
		}
		seen[text] = true
		id, err := geo.ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		if id.Time().Before(before) || id.Time().After(time.Now()) {
			t.Fatalf("%s says it was made at %s", text, id.Time())
		}
	}
}

func TestIDsRoundTripAndSortByTime(t *testing.T) {
	t.Parallel()
	millis := rapid.Int64Range(0, 1<<48-1)
	random := rapid.Custom(func(t *rapid.T) (out [10]byte) {
		copy(out[:], rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "bytes"))
		return out
	})
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.StringMatching(`[a-z]{2,8}`).Draw(t, "kind")
		region := rapid.StringMatching(`[a-z]{3}`).Draw(t, "region")
		early, late := millis.Draw(t, "one"), millis.Draw(t, "other")
		if early > late {
			early, late = late, early
		}
		entropy := random.Draw(t, "early random")
		first := maker(early, entropy).New(kind, region)
		second := maker(late, random.Draw(t, "late random")).New(kind, region)
		if early < late && first >= second {
			t.Fatalf("%s of %d sorts after %s of %d", first, early, second, late)
		}
		id, err := geo.ParseID(first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if id.Kind != kind || id.Region != region || id.Time().UnixMilli() != early || !bytes.Equal(id.ULID[6:], entropy[:]) || id.String() != first {
			t.Fatalf("%s came back as %+v", first, id)
		}
	})
}

func TestNewIDPanicsOnMistakes(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(){
		"kind":        func() { geo.NewID("Order", "use") },
		"region":      func() { geo.NewID("ord", "us-east") },
		"clock":       func() { maker(-1, [10]byte{}).New("ord", "use") },
		"far future":  func() { maker(1<<48, [10]byte{}).New("ord", "use") },
		"out of luck": func() { geo.IDs{Random: iotest.ErrReader(errors.New("no entropy"))}.New("ord", "use") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("an id was made")
				}
			}()
			call()
		})
	}
}

func TestParseIDRefusesAllButTheCanonicalForm(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "_", "__", "ord", "ord_use", "ord_use_", sample[:len(sample)-1], sample + "0", " " + sample, sample + "\n",
		strings.ToLower(sample), strings.ToUpper(sample),
		"o_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", "orderlines_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", "or1_use_01ARZ3NDEKTSV4RRFFQ69G5FAV",
		"ord_us_01ARZ3NDEKTSV4RRFFQ69G5FAV", "ord_us1_01ARZ3NDEKTSV4RRFFQ69G5FAV", "ord__01ARZ3NDEKTSV4RRFFQ69G5FAV",
		"ord-use-01ARZ3NDEKTSV4RRFFQ69G5FAV", "ord_use_81ARZ3NDEKTSV4RRFFQ69G5FAV",
		"ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAI", "ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAL", "ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAO", "ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAU",
		"ord_use_01ARZ3NDEKTSV4RRFFQ69G5F\u00c5", strings.Repeat("a", 1<<20),
	} {
		if id, err := geo.ParseID(text); err == nil {
			t.Errorf("%.60q was accepted as %v", text, id)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(sample)
	f.Add("usr_euw_7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
	f.Add("crt_aps_00000000000000000000000000")
	f.Add("ord_use_8ZZZZZZZZZZZZZZZZZZZZZZZZZ")
	f.Add("__")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := geo.ParseID(text)
		if err != nil {
			if id != (geo.ID{}) {
				t.Errorf("a refused id came back as %+v", id)
			}
			return
		}
		if id.String() != text {
			t.Errorf("%q reads as %q: one id has two spellings", text, id.String())
		}
	})
}
