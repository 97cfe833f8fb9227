package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteSettings writes an engine's configuration file, for its owner's eyes only, and
// makes the folder that it is in. It replaces an older file whole or not at all.
func WriteSettings(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	aside := file + ".new"
	err := os.WriteFile(aside, content, 0o600)
	if err == nil {
		err = os.Rename(aside, file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write settings: %w", err), os.RemoveAll(aside))
	}
	return nil
}
