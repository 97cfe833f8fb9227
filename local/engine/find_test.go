package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/local/engine"
)

func program(t *testing.T, elements ...string) string {
	t.Helper()
	path := filepath.Join(elements...)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func find(t *testing.T, places engine.Places, name engine.Name, want engine.Program) {
	t.Helper()
	got, err := places.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFindOrder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	places := engine.Places{
		Path:      "relative:" + filepath.Join(root, "path"),
		System:    filepath.Join(root, "system"),
		Installed: filepath.Join(root, "installed"),
	}

	program(t, places.Installed, "postgres/usr/lib/postgresql/15/bin/initdb")
	installed := program(t, places.Installed, "postgres/usr/lib/postgresql/15/bin/postgres")
	find(t, places, engine.Postgres, engine.Program{Path: installed})

	for _, version := range []string{"9.6", "15", "17"} {
		program(t, places.System, "usr/lib/postgresql", version, "bin/postgres")
		if version != "17" { // the newest lacks its initdb, so the second newest is taken
			program(t, places.System, "usr/lib/postgresql", version, "bin/initdb")
		}
	}
	find(t, places, engine.Postgres, engine.Program{Path: filepath.Join(places.System, "usr/lib/postgresql/15/bin/postgres")})

	inPath := program(t, root, "path/postgres")
	program(t, root, "path/initdb")
	find(t, places, engine.Postgres, engine.Program{Path: inPath})

	places.Path, places.System = "", ""
	find(t, places, engine.Postgres, engine.Program{Path: installed})
}

func TestInstalledLibrariesAreFound(t *testing.T) {
	t.Parallel()
	places := engine.Places{Installed: t.TempDir()}
	server := program(t, places.Installed, "redis/usr/bin/redis-server")
	program(t, places.Installed, "redis/usr/lib/x86_64-linux-gnu/liblua.so")
	program(t, places.Installed, "redis/lib/x86_64-linux-gnu/libsystemd.so")
	find(t, places, engine.Redis, engine.Program{Path: server, Env: []string{
		"LD_LIBRARY_PATH=" + filepath.Join(places.Installed, "redis/usr/lib/x86_64-linux-gnu") +
			":" + filepath.Join(places.Installed, "redis/lib/x86_64-linux-gnu"),
	}})
}

func TestMissingEngineSaysWhatToDo(t *testing.T) {
	t.Parallel()
	places := engine.Places{Path: "/nowhere", System: "/nowhere", Installed: "/nowhere/engines"}
	_, err := places.Find(engine.Consul)
	var missing *engine.MissingError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v, want a MissingError", err)
	}
	for _, want := range []string{"consul", "PATH", "/nowhere/engines", "make engines"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
}
