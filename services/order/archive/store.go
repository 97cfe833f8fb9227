package archive

import (
	"context"
	"time"
)

// Store keeps objects as S3 and its like do: whole objects under names, which are replaced and never changed. Names are segments of
// letters, digits, dots, dashes and underscores with slashes between; no segment begins with a dot. All methods are safe for
// concurrent use.
type Store interface {
	// Put writes an object: once it returns nil the object is durable, and whatever happens before, nobody reads a part of it.
	Put(ctx context.Context, name string, content []byte) error
	// Get reads length bytes from an offset. ErrNotFound when there is no such object; any other error when it ends earlier.
	Get(ctx context.Context, name string, offset, length int64) ([]byte, error)
	// List gives the objects whose names begin with a prefix, sorted by name.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Delete removes an object; one that is not there is fine.
	Delete(ctx context.Context, name string) error
}

// Object is an entry of a list. Size is in bytes.
type Object struct {
	Name    string
	Size    int64
	Written time.Time
}
