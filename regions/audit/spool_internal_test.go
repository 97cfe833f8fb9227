package audit

import (
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestASpoolSortsMoreThanFitsInMemory compares a spool of any size of memory with sorting in memory, and looks for what it leaves behind.
func TestASpoolSortsMoreThanFitsInMemory(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		s := newSpool(folder, rapid.IntRange(1, 2_000).Draw(rt, "limit"))
		var want []spooled
		for range rapid.IntRange(0, 100).Draw(rt, "records") {
			record := spooled{rapid.StringN(0, 3, -1).Draw(rt, "key"), rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(rt, "body")}
			want = append(want, record)
			if err := s.add(record.key, record.body); err != nil {
				rt.Fatal(err)
			}
		}
		slices.SortFunc(want, inOrder)
		var got []spooled
		err := s.each(func(key string, body []byte) error {
			got = append(got, spooled{key, body})
			return nil
		})
		if err != nil || !slices.EqualFunc(got, want, func(a, b spooled) bool { return inOrder(a, b) == 0 }) {
			rt.Fatalf("%d records became %d (%v)", len(want), len(got), err)
		}
		if err := s.close(); err != nil {
			rt.Fatal(err)
		}
	})
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}
