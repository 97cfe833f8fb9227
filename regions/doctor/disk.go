package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/meridian-store/meridian/local/launcher"
)

// disk looks at the room that a home has and takes.
func disk(home launcher.Home) examination {
	const part = "disk"
	return examination{part: part, remedy: "look at " + home.Dir(), ask: func(ctx context.Context, n *notes) error {
		var stat syscall.Statfs_t
		if err := syscall.Statfs(home.Dir(), &stat); err != nil {
			return fmt.Errorf("ask for the free space of %s: %w", home.Dir(), err)
		}
		free := float64(stat.Bavail) * float64(stat.Bsize)
		n.fact(part, "free", free, "bytes")
		for _, folder := range []string{"data", "logs"} {
			n.fact(part, folder, sizeOf(ctx, home.Path(folder)), "bytes")
		}
		if free < littleDisk {
			n.find(Finding{part, "little space is left", fmt.Sprintf("%.0f MB are free for %s", free/1e6, home.Dir()), "make room, or move the home with --home"})
		}
		return nil
	}}
}

// sizeOf adds up the files below a folder, in bytes, as far as they are there: files come and go while engines run.
func sizeOf(ctx context.Context, folder string) float64 {
	var bytes float64
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error { // the function itself fails only to stop
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // what is gone takes no space
		}
		if info, err := entry.Info(); err == nil {
			bytes += float64(info.Size())
		}
		return nil
	})
	return bytes
}
