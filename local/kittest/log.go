package kittest

import (
	"log/slog"
	"testing"
)

// testLog shows a service's log beside the test that failed.
type testLog struct{ t testing.TB }

func (l testLog) Write(line []byte) (int, error) {
	if l.t.Context().Err() == nil { // a test that has ended takes no more lines
		l.t.Logf("%s", line)
	}
	return len(line), nil
}

func testLogger(t testing.TB) *slog.Logger { return slog.New(slog.NewJSONHandler(testLog{t}, nil)) }
