package launcher

import (
	"encoding/json"
	"testing"

	"github.com/meridian-store/meridian/local/link"
)

// `meridian status --json` and `meridian link list --json` show a link in the same words.
func TestLinkStatus_EncodesAsItsEntry(t *testing.T) {
	t.Parallel()
	entry := link.Entry{
		Link:    link.Link{From: "a", To: "b", Plane: link.PlaneBroker, Listen: "127.0.0.1:1", Upstream: "127.0.0.1:2"},
		ModelMS: 3, Usual: link.Condition{RoundTripMS: 4}, Now: link.Condition{RoundTripMS: 5, Cut: true},
	}
	want, err := json.Marshal(entry)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(linkStatus(entry)); err != nil || string(got) != string(want) {
		t.Errorf("got %s, want %s (%v)", got, want, err)
	}
}
