package gateway_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
)

// moving is how the cart service tells a gateway of a guest's cart that moves into a user's.
func moving(userCode string) string {
	return "/internal/v1/users/" + geo.NewID(contract.KindUser, userCode) + "/cart/guests/" + geo.NewID(contract.KindCart, "use")
}

func TestAGuestsCartIsSentToItsUsersHome(t *testing.T) {
	t.Parallel()
	world := openTwo(t, "")
	world.sees(t, true)
	send := func(to *kittest.Service, path string, headers ...map[string]string) (int, heard) {
		var got heard
		response := to.Do(t, http.MethodPut, path, []byte(`{"a": 1}`), &got, headers...)
		return response.StatusCode, got
	}
	inside := world.near.Internal()
	for code, region := range map[string]string{"euw": "eu-west", "use": "us-east"} {
		path := moving(code)
		status, got := send(world.near, path, inside)
		if status != http.StatusOK || got.Who != "cart of "+region || got.Method != http.MethodPut || got.URI != path || got.Body != `{"a": 1}` {
			t.Errorf("for %s it is answered %d by %+v", code, status, got)
		}
		if got.Header.Get(contract.HeaderInternal) != world.near.Env.InternalSecret.Current() {
			t.Errorf("the cart service of %s cannot know that one of ours asks", region)
		}
	}
	if status, _ := send(world.near, moving("xyz"), inside); status != http.StatusNotFound {
		t.Errorf("for a region that is not it is answered %d", status)
	}
	if status, got := send(world.near, moving("euw")); status != http.StatusNotFound && status != http.StatusForbidden && status != http.StatusUnauthorized || got.Who != "" {
		t.Errorf("a stranger is answered %d by %q", status, got.Who)
	}
	// What one gateway passes on goes no further, whoever the user is.
	forwarded := maps.Clone(inside)
	forwarded[contract.HeaderForwardedBy] = "us-east"
	if _, got := send(world.home, moving("use"), forwarded); got.Who != "cart of eu-west" || got.Header.Get(contract.HeaderForwardedBy) != "" {
		t.Errorf("what was passed on is answered by %+v", got)
	}

	world.up.Store(false)
	world.sees(t, false)
	if status, got := send(world.near, moving("euw"), inside); status != http.StatusNotFound || got.Who != "" {
		t.Errorf("without its home it is answered %d by %q", status, got.Who)
	}
}

func TestAHomeThatDoesNotAnswerIsNotTakenForOneThatIsGone(t *testing.T) {
	t.Parallel()
	world := openTwo(t, hole(t))
	world.sees(t, true)
	response := world.near.Do(t, http.MethodPut, moving("euw"), []byte(`{"a": 1}`), nil, world.near.Internal())
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(response.Header.Get("Content-Type"), "problem") {
		t.Errorf("answered %d", response.StatusCode)
	}
}
