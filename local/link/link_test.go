package link_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/link"
)

func TestParseReadsWhatStringWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9-]{0,10}`)
		address := rapid.StringMatching(`(127\.0\.0\.1|host|\[::1\]):[1-9][0-9]{0,4}`)
		wanted := link.Link{From: name.Draw(t, "from"), To: name.Draw(t, "to") + "2", Plane: rapid.SampledFrom(link.Planes()).Draw(t, "plane"), Listen: address.Draw(t, "listen"), Upstream: address.Draw(t, "upstream")}
		if wanted.From == wanted.To {
			t.Skip("a region has no link to itself")
		}
		read, err := link.Parse(wanted.String())
		if err != nil || read != wanted {
			t.Fatalf("%q is read as %+v (%v)", wanted, read, err)
		}
	})
}

func TestParseRefusesWhatIsNoLink(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a=b", "a=b=broker=c=d", "=b=broker=h:1=h:2", "a=a=broker=h:1=h:2", "a=b=broker=h:1", "a=b=broker=h:1=h:2=x", "a=b=h:1=h:2", "a=b=moon=h:1=h:2"} {
		if read, err := link.Parse(text); err == nil {
			t.Errorf("%q is read as %+v", text, read)
		}
	}
}

func TestTheModelIsTheDistance(t *testing.T) {
	t.Parallel()
	ashburn, dublin, singapore := geo.Point{Latitude: 39.04, Longitude: -77.49}, geo.Point{Latitude: 53.35, Longitude: -6.26}, geo.Point{Latitude: 1.35, Longitude: 103.82}
	for _, pair := range []struct {
		from, to geo.Point
		ms       int64
	}{{ashburn, dublin, 78}, {ashburn, singapore, 220}, {dublin, singapore, 158}, {dublin, dublin, 2}} {
		if got := link.Model(pair.from, pair.to); got < pair.ms-2 || got > pair.ms+2 || got != link.Model(pair.to, pair.from) {
			t.Errorf("the model says %d ms, want about %d", got, pair.ms)
		}
	}
}

func twoRegions() link.Book {
	usual := link.Condition{RoundTripMS: 79}
	return link.Book{Entries: []link.Entry{
		{Link: link.Link{From: "here", To: "there", Plane: link.PlaneGateway}, ModelMS: 79, Usual: usual, Now: usual},
		{Link: link.Link{From: "there", To: "here", Plane: link.PlaneGateway}, ModelMS: 79, Usual: usual, Now: usual},
	}}
}

func TestAChangeGoesBothWaysUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	book := twoRegions()
	cut := func(e *link.Entry) { e.Now.Cut = true }
	if changed, err := book.Change("there", "here", false, cut); err != nil || len(changed) != 1 || !book.Condition("there=here=gateway").Cut || book.Condition("here=there=gateway").Cut {
		t.Fatalf("one way: %+v (%v)", book, err)
	}
	changed, err := book.Change("here", "there", true, cut)
	if err != nil || len(changed) != 2 || !changed[0].Disturbed() || !book.Condition("here=there=gateway").Cut {
		t.Fatalf("both ways: %+v (%v)", book, err)
	}
	if got := book.Condition("here=there=gateway"); got.RoundTripMS != 79 {
		t.Errorf("a cut changed the delay to %d ms", got.RoundTripMS)
	}
	if _, err := book.Change("here", "nowhere", true, cut); !errors.Is(err, link.ErrNoLink) || !strings.Contains(err.Error(), "here=there=gateway") {
		t.Errorf("a pair without a link: %v", err)
	}
	if _, err := book.Change("here", "there", true, func(e *link.Entry) { e.Now.RoundTripMS = -1 }); err == nil {
		t.Error("a negative delay was taken")
	}
	if got := book.Condition("nobody=nowhere"); got != (link.Condition{}) {
		t.Errorf("an unknown link is %+v", got)
	}
}
