package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestReachable(t *testing.T) {
	t.Parallel()
	const stranger = 54321
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// The test's own folder lies below ones that only its user may enter.
	for dir := top; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"open", "closed"} {
		if err := os.MkdirAll(filepath.Join(top, folder, "in"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(top, "closed"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"open/in":       true,
		"open/new":      true,
		"open/new/new":  false, // the first will be made for the caller alone
		"closed":        true,  // the folder itself is given away, only those above count
		"closed/in":     false,
		"closed/in/new": false,
	} {
		got, err := reachable(filepath.Join(top, path), stranger, stranger)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", path, got, err, want)
		}
	}
	if got, err := reachable(filepath.Join(top, "closed/in"), uint32(os.Getuid()), stranger); err != nil || !got {
		t.Errorf("the owner: got %v, %v, want true", got, err)
	}
}

func TestRootRunsTheServerAsSomebodyElse(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		a, err := chooseAccount(t.TempDir(), "/bin/true")
		if err != nil || a.credential != nil || a.capabilities != nil {
			t.Errorf("an ordinary user's server should run as that user: %+v, %v", a, err)
		}
		return
	}
	a, err := chooseAccount(filepath.Join(t.TempDir(), "sql", "data"), "/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	if a.credential == nil || a.credential.Uid == 0 {
		t.Errorf("it would run as root: %+v", a)
	}
	if len(a.capabilities) == 0 {
		t.Error("it could not enter its own folder")
	}
	owned := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(owned, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(owned, 54321, 54322); err != nil {
		t.Fatal(err)
	}
	a, err = chooseAccount(owned, "/bin/true")
	if err != nil || a.credential == nil || a.credential.Uid != 54321 || a.credential.Gid != 54322 {
		t.Errorf("old data keeps its owner: %+v, %v", a, err)
	}
}

func TestOwnGivesAwayAllThatIsInAFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	outside := filepath.Join(t.TempDir(), "outside")
	folder := t.TempDir()
	inside := filepath.Join(folder, "base", "1")
	err := errors.Join(
		os.WriteFile(outside, nil, 0o600),
		os.MkdirAll(inside, 0o700),
		os.Symlink(outside, filepath.Join(folder, "link")),
	)
	if err != nil {
		t.Fatal(err)
	}
	a := account{credential: &syscall.Credential{Uid: 54321, Gid: 54322}}
	if err := a.own(folder); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]uint32{folder: 54321, inside: 54321, outside: 0} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != want {
			t.Errorf("%s belongs to %v, want %d", path, info.Sys(), want)
		}
	}
}
