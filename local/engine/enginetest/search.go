package enginetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/local/engine/search"
)

// Search returns the URL and the admin key of a search engine. Unless MERIDIAN_TEST_TYPESENSE_URL and
// MERIDIAN_TEST_TYPESENSE_KEY name one it is the test's own and ends with the test. Name collections by [Prefix].
func Search(t testing.TB) (url, key string) {
	t.Helper()
	if given := os.Getenv("MERIDIAN_TEST_TYPESENSE_URL"); given != "" {
		return given, os.Getenv("MERIDIAN_TEST_TYPESENSE_KEY")
	}
	engine := &SearchEngine{Address: fmt.Sprintf("127.0.0.1:%d", Ports(t, 1)), Folder: filepath.Join(t.TempDir(), "search"), Key: rand.Text()}
	engine.Start(t)
	t.Cleanup(func() { engine.Stop(t) })
	return "http://" + engine.Address, engine.Key
}

// SearchEngine is an engine that a test stops and starts again.
type SearchEngine struct {
	Address, Folder, Key string

	stop context.CancelFunc
	done sync.WaitGroup
}

// Start returns once it serves.
func (e *SearchEngine) Start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e.stop = cancel
	started, ended := make(chan struct{}), make(chan error, 1)
	e.done.Go(func() {
		ended <- search.Run(ctx, search.Config{Address: e.Address, DataDir: e.Folder, AdminKey: e.Key, Started: func() { close(started) }})
	})
	select {
	case <-started:
	case err := <-ended:
		cancel()
		t.Fatal(err)
	}
}

// Stop ends it; stopping twice is fine.
func (e *SearchEngine) Stop(testing.TB) {
	e.stop()
	e.done.Wait()
}
