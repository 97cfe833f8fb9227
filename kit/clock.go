package kit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// readOffsetEvery is how soon a service follows its clock file.
const readOffsetEvery = 100 * time.Millisecond

// skewed is a clock that a drill can put wrong: the true one and an offset, which a file holds as a duration such as -30s.
type skewed struct {
	now    func() time.Time
	path   string
	log    *slog.Logger
	offset atomic.Int64
}

// Now is the time as the service has to believe it.
func (s *skewed) Now() time.Time { return s.now().Add(time.Duration(s.offset.Load())) }

// follow reads the file once. A file that is missing or empty is no offset.
func (s *skewed) follow(ctx context.Context) error {
	text, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the clock's offset: %w", err)
	}
	var offset time.Duration
	if given := strings.TrimSpace(string(text)); given != "" {
		if offset, err = time.ParseDuration(given); err != nil {
			return fmt.Errorf("read the clock's offset in %s: %w", s.path, err)
		}
	}
	if before := s.offset.Swap(int64(offset)); before != int64(offset) {
		s.log.WarnContext(ctx, "This service's clock is put wrong for a drill.", "offset_ms", offset.Milliseconds())
	}
	return nil
}
