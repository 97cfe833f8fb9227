package archive_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/services/order/archive"
	"github.com/meridian-store/meridian/services/order/archive/storetest"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (archive.Store, func() archive.Store) {
		root := filepath.Join(t.TempDir(), "not", "there", "yet")
		return archive.NewFolder(root), func() archive.Store { return archive.NewFolder(root) }
	})
}

// A writer that died left a part behind: it is no object, and in nobody's way.
func TestWhatACrashLeavesIsNoObject(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, ".partial-1"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := archive.NewFolder(root)
	if err := store.Put(t.Context(), "a", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	if listed, err := store.List(t.Context(), ""); err != nil || len(listed) != 1 {
		t.Errorf("%+v (%v)", listed, err)
	}
}

func open(t testing.TB, store archive.Store) *archive.Archive {
	t.Helper()
	a, err := archive.New(store)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func orders(n int) []archive.Document {
	documents := make([]archive.Document, 0, n)
	for i := range n {
		documents = append(documents, archive.Document{
			ID: fmt.Sprintf("ord_use_%d", i), JSON: json.RawMessage(fmt.Sprintf("{ \"total\": %d, \"title\": \"The <APRON> & co\\n\" }", i)),
		})
	}
	return documents
}

func TestEveryDocumentIsReadAlone(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		store := archive.NewFolder(filepath.Join(root, fmt.Sprint(rapid.Uint32().Draw(rt, "folder"))))
		a := open(t, store)
		documents := orders(rapid.IntRange(1, 150).Draw(rt, "documents"))
		at, err := a.Write(t.Context(), "f.jsonl.zst", documents)
		if err != nil || len(at) != len(documents) {
			rt.Fatalf("%d places (%v)", len(at), err)
		}
		for i, document := range documents {
			got, err := a.Read(t.Context(), "f.jsonl.zst", at[i], document.ID)
			var compact bytes.Buffer
			if err := json.Compact(&compact, document.JSON); err != nil {
				rt.Fatal(err)
			}
			if err != nil || !bytes.Equal(got, compact.Bytes()) {
				rt.Fatalf("%s is %s (%v)", document.ID, got, err)
			}
		}
		if _, err := a.Read(t.Context(), "f.jsonl.zst", at[0], "another"); !errors.Is(err, archive.ErrNotFound) {
			rt.Fatal(err)
		}
	})
}

// Whoever has only the file and the tools of the trade reads it.
func TestAFileIsPlainZstandardOfJSONLines(t *testing.T) {
	t.Parallel()
	store := archive.NewFolder(t.TempDir())
	if _, err := open(t, store).Write(t.Context(), "f", orders(100)); err != nil {
		t.Fatal(err)
	}
	listed, err := store.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := store.Get(t.Context(), "f", 0, listed[0].Size)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	var text bytes.Buffer
	if _, err := decoder.WriteTo(&text); err != nil || strings.Count(text.String(), "\n") != 100 {
		t.Errorf("%d lines (%v)", strings.Count(text.String(), "\n"), err)
	}
	if len(packed)*5 > text.Len() {
		t.Errorf("%d bytes became %d", text.Len(), len(packed))
	}
}

// spoiled changes a byte on its way to the disk.
type spoiled struct{ archive.Store }

func (s spoiled) Put(ctx context.Context, name string, content []byte) error {
	content = bytes.Clone(content)
	content[len(content)/2] ^= 1
	return s.Store.Put(ctx, name, content)
}

func TestAFileThatDoesNotReadBackIsAnError(t *testing.T) {
	t.Parallel()
	if at, err := open(t, spoiled{archive.NewFolder(t.TempDir())}).Write(t.Context(), "f", orders(3)); err == nil {
		t.Errorf("written at %v", at)
	}
	if _, err := open(t, archive.NewFolder(t.TempDir())).Write(t.Context(), "f", []archive.Document{{ID: "a", JSON: []byte("{")}}); err == nil {
		t.Error("what is no JSON was written")
	}
}

func FuzzABlockFromElsewhere(f *testing.F) {
	store := archive.NewFolder(f.TempDir())
	a := open(f, store)
	at, err := a.Write(context.Background(), "seed", orders(2))
	if err != nil {
		f.Fatal(err)
	}
	seed, err := store.Get(context.Background(), "seed", at[0].Offset, at[0].Length)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, block []byte) {
		if err := store.Put(t.Context(), "block", block); err != nil {
			t.Fatal(err)
		}
		got, err := a.Read(t.Context(), "block", archive.Location{Length: int64(len(block))}, "ord_use_1")
		if err == nil && got == nil && !bytes.Contains(block, []byte("ord")) {
			t.Error("a document came from nowhere")
		}
	})
}
