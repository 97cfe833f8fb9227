// Package archive keeps old orders as compressed files in an object store: zstd-compressed JSON lines in blocks that can each be read
// alone, so that one order costs one small read of a large file. A whole file is what `zstd -d` reads.
package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
)

const (
	// perBlock is how many documents share a block: orders resemble one another, so that together they take a fraction of the space,
	// and a block is still small enough to be read for one of them.
	perBlock = 32
	// maxBlock bounds what a block may unpack to, in bytes, whatever it says.
	maxBlock = 64 << 20
)

// ErrNotFound says that the store has no such object, or the object no such document.
var ErrNotFound = errors.New("not in the archive")

// Document is one order to keep. JSON is one valid JSON value.
type Document struct {
	ID   string
	JSON json.RawMessage
}

// Location is where in its file the block of a document is, in bytes.
type Location struct{ Offset, Length int64 }

// line is a document as a line of a file.
type line struct {
	ID       string          `json:"id"`
	Document json.RawMessage `json:"document"`
}

// Archive writes and reads files of documents.
type Archive struct {
	store   Store
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

// New makes an archive in a store.
func New(store Store) (*Archive, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("prepare to compress: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxBlock))
	if err != nil {
		return nil, fmt.Errorf("prepare to decompress: %w", err)
	}
	return &Archive{store: store, encoder: encoder, decoder: decoder}, nil
}

// Write keeps documents as one file and says where in it each of them is, in their order. It returns only once the file is durable and
// every document has been read back from the store unchanged.
func (a *Archive) Write(ctx context.Context, file string, documents []Document) ([]Location, error) {
	documents = slices.Clone(documents)
	content, at, err := a.pack(documents)
	if err != nil {
		return nil, err
	}
	if err := a.store.Put(ctx, file, content); err != nil {
		return nil, fmt.Errorf("write %s: %w", file, err)
	}
	for i := 0; i < len(documents); i += perBlock {
		lines, err := a.block(ctx, file, at[i])
		if err != nil {
			return nil, fmt.Errorf("read %s back: %w", file, err)
		}
		for j, document := range documents[i:min(i+perBlock, len(documents))] {
			if j >= len(lines) || lines[j].ID != document.ID || !bytes.Equal(lines[j].Document, document.JSON) {
				return nil, fmt.Errorf("%s does not hold %s as it was written", file, document.ID)
			}
		}
	}
	return at, nil
}

// Read gives one document back: one read of the store. ErrNotFound says that the file or the document is not there.
func (a *Archive) Read(ctx context.Context, file string, at Location, id string) (json.RawMessage, error) {
	lines, err := a.block(ctx, file, at)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	for _, l := range lines {
		if l.ID == id {
			return l.Document, nil
		}
	}
	return nil, fmt.Errorf("%s at %d has no %s: %w", file, at.Offset, id, ErrNotFound)
}

// Delete removes a file; one that is not there is fine.
func (a *Archive) Delete(ctx context.Context, file string) error {
	if err := a.store.Delete(ctx, file); err != nil {
		return fmt.Errorf("remove %s: %w", file, err)
	}
	return nil
}

func (a *Archive) pack(documents []Document) (content []byte, at []Location, err error) {
	for i := 0; i < len(documents); i += perBlock {
		var text bytes.Buffer
		block := documents[i:min(i+perBlock, len(documents))]
		for j := range block {
			// Compact first, because what is read back is compared byte for byte.
			var compact bytes.Buffer
			if err := json.Compact(&compact, block[j].JSON); err != nil {
				return nil, nil, fmt.Errorf("%s is no JSON: %w", block[j].ID, err)
			}
			block[j].JSON = compact.Bytes()
			encoder := json.NewEncoder(&text)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(line{ID: block[j].ID, Document: block[j].JSON}); err != nil {
				return nil, nil, fmt.Errorf("encode %s: %w", block[j].ID, err)
			}
		}
		start := int64(len(content))
		content = a.encoder.EncodeAll(text.Bytes(), content)
		for range block {
			at = append(at, Location{Offset: start, Length: int64(len(content)) - start})
		}
	}
	return content, at, nil
}

func (a *Archive) block(ctx context.Context, file string, at Location) ([]line, error) {
	packed, err := a.store.Get(ctx, file, at.Offset, at.Length)
	if err != nil {
		return nil, err
	}
	text, err := a.decoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("the block at %d: %w", at.Offset, err)
	}
	var lines []line
	decoder := json.NewDecoder(bytes.NewReader(text))
	for decoder.More() {
		var l line
		if err := decoder.Decode(&l); err != nil {
			return nil, fmt.Errorf("the block at %d: %w", at.Offset, err)
		}
		lines = append(lines, l)
	}
	return lines, nil
}
