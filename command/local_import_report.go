//go:build !production

package command

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/meridian-store/meridian/feed/publish"
)

// importReport is what the command prints: what the file held, and what the shop made of it.
type importReport struct {
	File     string `json:"file"`
	Format   string `json:"format"`
	Bytes    int64  `json:"bytes"`
	Rows     int64  `json:"rows"`
	Products int64  `json:"products"`
	Variants int64  `json:"variants"`
	Prices   int64  `json:"prices"`
	Images   int64  `json:"images"`
	// ResumedAfter is how many products an earlier run, which was cut off, had brought in.
	ResumedAfter int64           `json:"resumed_after"`
	Shop         publish.Outcome `json:"shop"`
	Seconds      float64         `json:"seconds"`
	// RowsPerSecond counts the rows of this run over its whole time, the check of the file included.
	RowsPerSecond float64 `json:"rows_per_second"`
	// PeakMemoryMB is the most memory that this process had resident; 0 where the system does not tell.
	PeakMemoryMB float64 `json:"peak_memory_mb"`
	// Notes and Refusals are one line each and start with the line of the file.
	Notes    []string `json:"notes"`
	Refusals []string `json:"refusals"`
	Refused  int64    `json:"refused"`
}

func (r *importRun) report() importReport {
	read := r.source.Report()
	report := importReport{
		File: r.File, Format: r.format, Bytes: r.source.Size(), Rows: read.Rows, Products: read.Products, Variants: read.Variants,
		Prices: read.Prices, Images: read.Images, Notes: []string{}, Refusals: []string{}, Refused: read.Refused,
		Seconds: time.Since(r.begun).Seconds(), PeakMemoryMB: peakMemoryMB(),
	}
	report.RowsPerSecond = float64(read.Rows-r.skippedRows) / report.Seconds
	for _, note := range read.Notes {
		report.Notes = append(report.Notes, note.String())
	}
	for _, refusal := range read.Refusals {
		report.Refusals = append(report.Refusals, refusal.String())
	}
	if r.publisher == nil {
		return report
	}
	reached := r.publisher.Progress()
	report.Shop, report.ResumedAfter = reached.Outcome, r.publisher.From.Done
	for _, refusal := range reached.Refusals {
		report.Refusals = append(report.Refusals, refusal.String())
	}
	report.Refused += reached.Outcome.Refused + reached.Outcome.StockDenied
	return report
}

func (report importReport) print(out io.Writer, asJSON, checked bool) error {
	if asJSON {
		return printJSON(out, report)
	}
	fmt.Fprintf(out, "%s (%s): %d rows, %d products, %d variants, %d prices, %d images in %.1f s (%.0f rows/s, at most %.0f MB of memory)\n",
		report.File, report.Format, report.Rows, report.Products, report.Variants, report.Prices, report.Images, report.Seconds,
		report.RowsPerSecond, report.PeakMemoryMB)
	if !checked {
		shop := report.Shop
		fmt.Fprintf(out, "shop: %d created, %d updated, %d unchanged, %d refused; stock: %d set, %d unchanged, %d refused\n",
			shop.Created, shop.Updated, shop.Unchanged, shop.Refused, shop.StockSet, shop.StockAsIs, shop.StockDenied)
	}
	for _, note := range report.Notes {
		fmt.Fprintln(out, "  note:", note)
	}
	for _, refusal := range report.Refusals {
		fmt.Fprintln(out, "  refused:", refusal)
	}
	return nil
}

// peakMemoryMB asks the kernel. Linux's own file comes first, because what getrusage says there includes the process that started us.
func peakMemoryMB() float64 {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		if fields := strings.Fields(rest); len(fields) > 0 {
			if kilobytes, err := strconv.ParseFloat(fields[0], 64); err == nil {
				return kilobytes / 1024
			}
		}
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return float64(usage.Maxrss) / (1 << 20)
	}
	return float64(usage.Maxrss) / 1024
}
