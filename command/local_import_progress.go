//go:build !production

package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/meridian-store/meridian/feed/publish"
	"github.com/meridian-store/meridian/local/launcher"
)

// saveEvery bounds how often the progress is written; what a cut-off run did since is sent again, which changes nothing.
const saveEvery = 250 * time.Millisecond

// progressFile keeps how far the import of one file came, in the home, until it is done.
type progressFile struct {
	path  string
	found publish.Progress
	saved time.Time
}

// openProgress looks for what an earlier import of the same content, read in the same way, left behind.
func openProgress(home launcher.Home, parts ...string) (*progressFile, error) {
	p := &progressFile{path: home.Path("imports", strings.Join(parts, "-")+".json")}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the progress: %w", err)
	}
	data, err := os.ReadFile(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the progress: %w", err)
	}
	if err := json.Unmarshal(data, &p.found); err != nil {
		return nil, fmt.Errorf("read %s: %w: remove it to begin with the first product", p.path, err)
	}
	return p, nil
}

// advanced is the publisher's hook.
func (p *progressFile) advanced(progress publish.Progress) error {
	if time.Since(p.saved) < saveEvery {
		return nil
	}
	return p.save(progress)
}

// save replaces the file in one step, so that a run that is killed leaves the old one or the new one.
func (p *progressFile) save(progress publish.Progress) error {
	data, err := json.Marshal(progress)
	if err != nil {
		return fmt.Errorf("encode the progress: %w", err)
	}
	next := p.path + ".next"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("write the progress: %w", err)
	}
	if err := os.Rename(next, p.path); err != nil {
		return fmt.Errorf("write the progress: %w", err)
	}
	p.saved = time.Now()
	return nil
}

// remove forgets the progress of an import that is done.
func (p *progressFile) remove() error {
	if err := os.Remove(p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the progress: %w", err)
	}
	return nil
}
