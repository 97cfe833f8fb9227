// Package imports takes product feeds over HTTP, keeps them until they are done, and brings them into the shop: what `meridian import`
// does, without a file on the operator's machine and without anybody waiting.
package imports

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed/detect"
	"github.com/meridian-store/meridian/feed/publish"
)

// What an import may be large: MaxPart bounds one request, so that neither the gateway nor this service holds more of a file at a time,
// MaxFile the whole file, and maxUnfinished how many a region keeps that are not done, so that uploads cannot fill the database.
const (
	MaxPart       = 8 << 20
	MaxFile       = 256 << 20
	maxUnfinished = 8
	pieceSize     = 1 << 20
)

// The states of an import. The first two go on by themselves; a receiving import waits for the rest of its file.
const (
	stateReceiving = "receiving"
	stateQueued    = "queued"
	stateRunning   = "running"
	stateDone      = "done"
	stateFailed    = "failed"
)

// job is one import.
type job struct {
	ID, Region                  string
	State                       string
	Format, Currency, Warehouse string
	// Received is how many bytes have come in.
	Received  int64
	Progress  publish.Progress
	Findings  findings
	Failure   string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// findings is what was read of the file so far.
type findings struct {
	Format string `json:"format,omitempty" doc:"What the content looked like"`
	// BytesRead of the file; progress is their part of all.
	BytesRead int64    `json:"bytes_read"`
	Rows      int64    `json:"rows"`
	Products  int64    `json:"products"`
	Variants  int64    `json:"variants"`
	Images    int64    `json:"images"`
	Refused   int64    `json:"refused" doc:"Products and rows that are wrong in the file itself"`
	Refusals  []string `json:"refusals,omitempty"`
	Notes     []string `json:"notes,omitempty"`
}

// newJob judges what is asked of an import; an empty warehouse is the region's own first.
func newJob(id string, region contract.Region, regions []contract.Region, format, currency, warehouse string, now time.Time) (job, error) {
	if format == "" {
		format = detect.Auto
	}
	if !slices.Contains(detect.Formats(), format) {
		return job{}, contract.Invalid("format", "%q is not one of %s", format, strings.Join(detect.Formats(), ", "))
	}
	if currency == "" {
		currency = contract.DefaultCurrency
	}
	if err := contract.ValidateCurrency("currency", currency); err != nil {
		return job{}, err
	}
	var codes []string
	for _, r := range regions {
		for _, w := range r.Warehouses {
			codes = append(codes, w.Code)
		}
	}
	if warehouse == "" {
		warehouse = region.Warehouses[0].Code
	}
	if !slices.Contains(codes, warehouse) {
		return job{}, contract.Invalid("warehouse", "%q is not one of %s", warehouse, strings.Join(codes, ", "))
	}
	return job{ID: id, Region: region.Name, State: stateReceiving, Format: format, Currency: currency, Warehouse: warehouse, CreatedAt: now, UpdatedAt: now}, nil
}

// receive judges a part that is to stand at an offset of the file, and counts it in.
func (j *job) receive(offset int64, size int, complete bool) error {
	switch {
	case j.State != stateReceiving:
		return contract.Errorf(contract.CodeConflict, "the import has its whole file already; it is %s", j.State)
	case offset != j.Received:
		return contract.Errorf(contract.CodeConflict, "%d bytes have come in, so the next part begins there and not at %d", j.Received, offset).With("upload_offset", j.Received)
	case size > MaxPart:
		return contract.Errorf(contract.CodeTooLarge, "a part has at most %d bytes", MaxPart)
	case j.Received+int64(size) > MaxFile:
		return contract.Errorf(contract.CodeTooLarge, "a file has at most %d bytes", MaxFile)
	case complete && j.Received+int64(size) == 0:
		return contract.Invalid("body", "is empty: send the file itself")
	}
	j.Received += int64(size)
	if complete {
		j.State = stateQueued
	}
	return nil
}
