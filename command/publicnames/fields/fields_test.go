package fields_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/command/publicnames/fields"
)

type node struct {
	Name     string           `json:"name"`
	Children []*node          `json:"children,omitempty"`
	Counts   map[string]int64 `json:"counts"`
}

type document struct {
	node
	At     *time.Time `json:"at"`
	Lines  []line     `json:"lines"`
	Hidden string     `json:"-"`
	Plain  string
	inner  string
}

type line struct {
	SKU string `json:"sku"`
}

func TestPaths_FollowsListsMapsAndEmbedding(t *testing.T) {
	t.Parallel()
	_ = document{}.inner
	want := []string{"Plain", "at", "children", "counts", "counts.*", "lines", "lines[].sku", "name"}
	if difference := cmp.Diff(want, fields.Paths(reflect.TypeFor[document](), "json")); difference != "" {
		t.Error(difference)
	}
}
