package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// newTestRunner returns a runner whose edge is a server that answers 200, and 503 below /down.
func newTestRunner(t *testing.T) (*runner, *httptest.Server) {
	t.Helper()
	edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/down") {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(edge.Close)
	env := append(os.Environ(), "EDGE="+edge.URL)
	return &runner{root: t.TempDir(), work: t.TempDir(), env: env, out: t.Output()}, edge
}

func TestStep_RequiresA2xxOfEachAnswer(t *testing.T) {
	t.Parallel()
	r, edge := newTestRunner(t)
	for script, want := range map[string]string{
		`curl -s "$EDGE/a"`: "",
		"SLUG=$(curl -s \"$EDGE/a\" | sed s/a/b/)\ncurl -s \\\n  \"$EDGE/$SLUG\"": "",
		`curl -s "$EDGE/down"`: "503",
		"SLUG=$(curl -s \"$EDGE/down\" | cat)\ncurl -s \"$EDGE/b\"": "503",
		`curl -s http://127.0.0.1:1/a || true`:                      "000",
		`if false; then curl -s "$EDGE/a"; fi`:                      errUnanswered.Error(),
	} {
		tour := []block{{File: "README.md", Heading: "Tour", Text: script}}
		err := r.step(t.Context(), execution{Block: "README.md: Tour"}, tour, r.shell)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s at %s: %v, want %q", script, edge.URL, err, want)
		}
	}
}

func TestStep_ChecksExitCodeAndOutput(t *testing.T) {
	t.Parallel()
	r, _ := newTestRunner(t)
	for _, c := range []struct {
		execution
		works bool
	}{
		{execution{Command: "true"}, true},
		{execution{Command: "false"}, false},
		{execution{Command: "false", Exit: 1}, true},
		{execution{Command: "true", Exit: 1}, false},
		{execution{Command: "echo 3 reads", Shows: `^\d reads$`}, true},
		{execution{Command: "echo no reads", Shows: `^\d reads$`}, false},
		{execution{Command: "true", Run: "false"}, false},
		{execution{Block: "README.md: Gone"}, false},
	} {
		if err := r.step(t.Context(), c.execution, nil, r.shell); (err == nil) != c.works {
			t.Errorf("%+v: %v", c.execution, err)
		}
	}
}
