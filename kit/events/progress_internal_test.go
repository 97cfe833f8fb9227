package events

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestATailIsAsGoodAsTheNewestLookItHasReached(t *testing.T) {
	t.Parallel()
	first := time.Now()
	second := first.Add(time.Second)
	ends := func(zero, one int64) kadm.ListedOffsets {
		return kadm.ListedOffsets{"t": {0: {Topic: "t", Partition: 0, Offset: zero}, 1: {Topic: "t", Partition: 1, Offset: one}}}
	}
	read := &progress{next: map[place]int64{{"t", 0}: 5, {"t", 1}: 0}}
	for _, step := range []struct {
		what  string
		pass  *kgo.Record
		looks []look
		at    time.Time
	}{
		{"nothing came", nil, []look{{second, ends(5, 0)}, {first, ends(5, 0)}}, second},
		{"the first look of all", nil, []look{{second, ends(6, 0)}, {}}, time.Time{}},
		{"one came", nil, []look{{second, ends(6, 0)}, {first, ends(5, 0)}}, first},
		{"one was waiting before, and is applied", &kgo.Record{Topic: "t", Partition: 0, Offset: 5}, []look{{second, ends(7, 0)}, {first, ends(6, 0)}}, first},
		{"one waits in another partition", nil, []look{{second, ends(6, 1)}, {first, ends(6, 1)}}, time.Time{}},
		{"all are applied", &kgo.Record{Topic: "t", Partition: 1, Offset: 0}, []look{{second, ends(6, 1)}, {first, ends(6, 1)}}, second},
	} {
		if step.pass != nil {
			read.pass(step.pass)
		}
		if at, some := read.heard(step.looks...); !at.Equal(step.at) || some != !step.at.IsZero() {
			t.Errorf("%s: as of %s (%v), want %s", step.what, at, some, step.at)
		}
	}
	if read.grown(ends(9, 9)) || !read.grown(kadm.ListedOffsets{"t": {2: {Topic: "t", Partition: 2}}}) {
		t.Error("a new partition is not told from one that is read")
	}
}
