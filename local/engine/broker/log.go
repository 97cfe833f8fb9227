package broker

import (
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kfake"
)

// logAdapter passes on kfake's warnings and errors. Its informational messages, one
// or more for each request, are left out.
type logAdapter struct{ logger *slog.Logger }

// Logf implements kfake.Logger.
func (a logAdapter) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		a.logger.Error("The broker reports an error.", "detail", fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		a.logger.Warn("The broker reports a problem.", "detail", fmt.Sprintf(format, args...))
	default:
	}
}
