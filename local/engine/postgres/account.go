package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// account is what the server runs as. The zero account is the calling user.
type account struct {
	credential   *syscall.Credential
	capabilities []uintptr
}

// chooseAccount returns the calling user, unless that is root: then the owner of the
// data folder, or for a new one the machine's postgres user, or nobody.
//
// Root's folders (/root, a temporary folder with mode 0700) are often closed to
// that user. Then, and only then, the server gets the capability that opens them.
func chooseAccount(dataDir, program string) (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	uid, gid, err := ordinaryUser(dataDir)
	if err != nil {
		return account{}, err
	}
	a := account{credential: &syscall.Credential{Uid: uid, Gid: gid}}
	for _, path := range []string{dataDir, program} {
		open, err := reachable(path, uid, gid)
		if err != nil {
			return account{}, err
		}
		if !open {
			a.capabilities = []uintptr{unix.CAP_DAC_OVERRIDE}
		}
	}
	return a, nil
}

func ordinaryUser(dataDir string) (uid, gid uint32, err error) {
	info, err := os.Stat(dataDir)
	switch {
	case err == nil:
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
			return stat.Uid, stat.Gid, nil
		}
	case !errors.Is(err, fs.ErrNotExist):
		return 0, 0, fmt.Errorf("postgres data folder: %w", err)
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue // not on this machine
		}
		uid, err1 := strconv.ParseUint(found.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(found.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return 0, 0, fmt.Errorf("user %s: %w", name, err)
		}
		return uint32(uid), uint32(gid), nil
	}
	return 0, 0, errors.New("PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody; start meridian as an ordinary user")
}

// reachable reports whether the user may enter every folder above path. A folder that
// does not exist yet will be made for the caller alone, so it may not.
func reachable(path string, uid, gid uint32) (bool, error) {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("look at %s: %w", dir, err)
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return false, fmt.Errorf("look at %s: no Unix file attributes", dir)
		}
		execute := fs.FileMode(0o001)
		switch {
		case stat.Uid == uid:
			execute = 0o100
		case stat.Gid == gid:
			execute = 0o010
		}
		if info.Mode().Perm()&execute == 0 {
			return false, nil
		}
		if dir == filepath.Dir(dir) {
			return true, nil
		}
	}
}

// own gives a folder and all in it to the account.
func (a account) own(folder string) error {
	if a.credential == nil {
		return nil
	}
	// Through a root, because that user could put links into it meanwhile.
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("give away a data folder: %w", err)
	}
	err = fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return root.Lchown(path, int(a.credential.Uid), int(a.credential.Gid))
	})
	if err := errors.Join(err, root.Close()); err != nil {
		return fmt.Errorf("give %s to the user that runs PostgreSQL: %w", folder, err)
	}
	return nil
}
