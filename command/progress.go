package command

import (
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressBar shows a bar on a terminal's standard error, and nothing where there is no terminal.
func (e *env) progressBar(total int64, title string) *progressbar.ProgressBar {
	terminal := false
	if file, ok := e.err.(*os.File); ok {
		info, err := file.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetDescription(title), progressbar.OptionSetWriter(e.err),
		progressbar.OptionSetVisibility(terminal), progressbar.OptionShowBytes(false), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
}
