package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// disk looks at the space that is free for the shop's folders, and at what they take.
func disk(s Subject) examination {
	const part = "disk"
	return examination{part: part, remedy: "look at " + s.Status.Home, ask: func(ctx context.Context, n *notes) error {
		var stat syscall.Statfs_t
		if err := syscall.Statfs(s.Status.Home, &stat); err != nil {
			return fmt.Errorf("ask for the free space of %s: %w", s.Status.Home, err)
		}
		free := float64(stat.Bavail) * float64(stat.Bsize)
		n.fact(part, "free", free, "bytes")
		n.fact(part, "data", sizeOf(ctx, s.Data), "bytes")
		n.fact(part, "logs", sizeOf(ctx, s.Logs), "bytes")
		if free < littleDisk {
			n.find(Finding{part, "little space is left", fmt.Sprintf("%.0f MB are free for %s", free/1e6, s.Status.Home), "make room, or move the home with --home"})
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
