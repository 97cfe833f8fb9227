package control

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/meridian-store/meridian/edge/cloudflare"
)

// kind is a sort of thing that is listed, made, changed and deleted by its id.
type kind string

const (
	monitors  kind = "monitors"
	pools     kind = "pools"
	balancers kind = "load_balancers"
)

// thing is one of a kind, as it was sent, with what the API adds.
type thing map[string]any

// state is all that the API was told.
type state struct {
	Phases map[string]ruleset        `json:"phases"`
	Things map[kind]map[string]thing `json:"things"`
	Tiers  cloudflare.Tiers          `json:"tiers"`
}

// ruleset is the entry point of a phase.
type ruleset struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Kind        string    `json:"kind"`
	Phase       string    `json:"phase"`
	Version     string    `json:"version"`
	LastUpdated time.Time `json:"last_updated"`
	Rules       []thing   `json:"rules"`
}

func newState() state {
	return state{Phases: map[string]ruleset{}, Things: map[kind]map[string]thing{monitors: {}, pools: {}, balancers: {}}}
}

// clone is deep enough to be changed without changing the original: things are replaced, never edited.
func (s state) clone() state {
	c := state{Phases: maps.Clone(s.Phases), Things: make(map[kind]map[string]thing, len(s.Things)), Tiers: s.Tiers}
	for k, things := range s.Things {
		c.Things[k] = maps.Clone(things)
	}
	return c
}

func (s *state) read(path string) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what the edge was told: %w", err)
	}
	if err := json.Unmarshal(text, s); err != nil {
		return fmt.Errorf("read what the edge was told in %s (delete it and run `meridian edge apply`): %w", path, err)
	}
	return nil
}

// write replaces the file as a whole: whoever is killed leaves the old one or the new one.
func (s state) write(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("keep what the edge was told: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("keep what the edge was told: %w", err)
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("keep what the edge was told: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

// change edits the state, has the edge enforce it, and keeps it; all or nothing of it.
func (s *Server) change(edit func(*state) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.state.clone()
	if err := edit(&next); err != nil {
		return err
	}
	setup, complete, err := next.setup()
	if err != nil {
		return err
	}
	if complete {
		if err := s.cfg.Edge.Configure(setup); err != nil {
			return invalid(1002, "%s", err)
		}
	}
	if err := next.write(s.cfg.StateFile); err != nil {
		return err
	}
	s.state = next
	return nil
}

func (s *Server) look() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// newID makes an id as Cloudflare's are.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails; the program ends instead
	return hex.EncodeToString(id[:])
}
