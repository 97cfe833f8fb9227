package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Name is an engine that runs from a program of its own.
type Name string

// The engines that [Places.Find] knows.
const (
	Postgres Name = "postgres"
	Redis    Name = "redis"
	Consul   Name = "consul"
)

// Program is an engine's program: its absolute path, and what its environment must
// hold for it to find its shared libraries.
type Program struct {
	Path string
	Env  []string
}

// MissingError says that an engine was found nowhere.
type MissingError struct {
	Engine Name
	Looked []string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not on this machine (looked in %s); run `make engines`",
		e.Engine, strings.Join(e.Looked, ", "))
}

// Places is where programs are looked for, in this order.
type Places struct {
	// Path lists folders as the PATH variable does.
	Path string
	// System is the root of the machine's packages, usually "/". Empty means that
	// only Installed counts.
	System string
	// Installed is the folder that install.sh fills.
	Installed string
}

// DefaultPlaces reads the environment: MERIDIAN_ENGINES names the install folder,
// by default meridian/engines in the user's cache, and MERIDIAN_ENGINES_PRIVATE=1
// leaves out what the machine has.
func DefaultPlaces() (Places, error) {
	installed := os.Getenv("MERIDIAN_ENGINES")
	if installed == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return Places{}, fmt.Errorf("no folder for engines: set MERIDIAN_ENGINES: %w", err)
		}
		installed = filepath.Join(cache, "meridian", "engines")
	}
	installed, err := filepath.Abs(installed)
	if err != nil {
		return Places{}, fmt.Errorf("folder for engines: %w", err)
	}
	places := Places{Installed: installed}
	if os.Getenv("MERIDIAN_ENGINES_PRIVATE") != "1" {
		places.Path, places.System = os.Getenv("PATH"), "/"
	}
	return places, nil
}

// Find looks in the default places.
func Find(name Name) (Program, error) {
	places, err := DefaultPlaces()
	if err != nil {
		return Program{}, err
	}
	return places.Find(name)
}

// Find returns the program of an engine, or a [MissingError].
func (p Places) Find(name Name) (Program, error) {
	var looked []string
	for _, folder := range filepath.SplitList(p.Path) {
		if path := filepath.Join(folder, programNames[name]); filepath.IsAbs(path) && p.complete(name, path) {
			return Program{Path: path}, nil
		}
	}
	if p.Path != "" {
		looked = append(looked, "PATH")
	}
	if name == Postgres && p.System != "" {
		// Debian keeps the server's programs out of PATH, by version.
		folder := filepath.Join(p.System, "usr/lib/postgresql")
		if path, ok := p.newest(name, filepath.Join(folder, "*/bin/postgres")); ok {
			return Program{Path: path}, nil
		}
		looked = append(looked, folder)
	}
	if path, ok := p.newest(name, filepath.Join(p.Installed, installedPaths[name])); ok {
		return Program{Path: path, Env: p.libraryEnv(name)}, nil
	}
	return Program{}, &MissingError{Engine: name, Looked: append(looked, p.Installed)}
}

var programNames = map[Name]string{Postgres: "postgres", Redis: "redis-server", Consul: "consul"}

// What install.sh makes, below its folder.
var installedPaths = map[Name]string{
	Postgres: "postgres/usr/lib/postgresql/*/bin/postgres",
	Redis:    "redis/usr/bin/redis-server",
	Consul:   "bin/consul",
}

// complete reports whether path is a program that can be run and has beside it what
// the engine needs as well: a PATH may hold PostgreSQL's server without initdb.
func (p Places) complete(name Name, path string) bool {
	if _, err := exec.LookPath(path); err != nil {
		return false
	}
	if name != Postgres {
		return true
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	_, err = exec.LookPath(filepath.Join(filepath.Dir(real), "initdb"))
	return err == nil
}

// newest returns the complete program that matches the pattern and has the highest
// major version in the folder above its own.
func (p Places) newest(name Name, pattern string) (string, bool) {
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return "", false // a home with pattern characters in its name
	}
	matches = slices.DeleteFunc(matches, func(path string) bool { return !p.complete(name, path) })
	if len(matches) == 0 {
		return "", false
	}
	return slices.MaxFunc(matches, func(a, b string) int { return majorVersion(a) - majorVersion(b) }), true
}

// majorVersion reads <version>/bin/program; a path without one has version 0.
func majorVersion(path string) int {
	folder := filepath.Base(filepath.Dir(filepath.Dir(path)))
	major, _, _ := strings.Cut(folder, ".")
	version, err := strconv.Atoi(major)
	if err != nil {
		return 0
	}
	return version
}

// libraryEnv points the loader at the libraries unpacked with an engine.
func (p Places) libraryEnv(name Name) []string {
	var folders []string
	for _, pattern := range []string{"usr/lib/*-linux-gnu*", "lib/*-linux-gnu*"} {
		found, err := filepath.Glob(filepath.Join(p.Installed, string(name), pattern))
		if err == nil {
			folders = append(folders, found...)
		}
	}
	if len(folders) == 0 {
		return nil
	}
	return []string{"LD_LIBRARY_PATH=" + strings.Join(folders, ":")}
}
