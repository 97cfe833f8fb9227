package search

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/typesense/typesense-go/v3/typesense/api"
	"github.com/typesense/typesense-go/v3/typesense/api/pointer"
)

// write puts documents into a collection, each in place of the one with its id.
func (e *engine) write(ctx context.Context, collection string, documents []document) error {
	if len(documents) == 0 {
		return nil
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	for _, d := range documents {
		if err := encoder.Encode(d); err != nil {
			return fmt.Errorf("encode a document: %w", err)
		}
	}
	action := api.IndexAction("upsert")
	answer, err := e.client.Collection(collection).Documents().ImportJsonl(ctx, &body, &api.ImportDocumentsParams{Action: &action, BatchSize: pointer.Int(batchSize)})
	if err != nil {
		return fmt.Errorf("write %d documents: %w", len(documents), err)
	}
	return errors.Join(firstRefusal(answer), answer.Close())
}

// firstRefusal reads the answer to an import, a line for each document.
func firstRefusal(answer io.Reader) error {
	lines := bufio.NewScanner(answer)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Success bool   `json:"success"`
			Error   string `json:"error"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("read what became of a document: %w", err)
		}
		if !line.Success {
			return fmt.Errorf("the search engine refuses a document: %s", line.Error)
		}
	}
	return lines.Err()
}

// remove deletes documents; those that are not there are no mistake.
func (e *engine) remove(ctx context.Context, collection string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	for part := range slices.Chunk(ids, filteredAtOnce) {
		if _, err := e.client.Collection(collection).Documents().Delete(ctx, &api.DeleteDocumentsParams{FilterBy: pointer.String(byID(part))}); err != nil {
			return fmt.Errorf("delete documents: %w", err)
		}
	}
	return nil
}

// filteredAtOnce is how many documents a filter names: one of a thousand is longer than some engines' limits.
const filteredAtOnce = 100

func byID(ids []string) string { return "id:[" + strings.Join(ids, ",") + "]" }

// state is what a document was made of.
type state struct {
	Revision string
	Popular  int64
}

// state gives a document's own; any difference between two documents of a product shows in it.
func (d document) state() state {
	popular, _ := d["popular"].(int64)
	return state{d.text("revision"), popular}
}

// held gives the states of those of some documents that a collection has.
func (e *engine) held(ctx context.Context, collection string, ids []string) (map[string]state, error) {
	held := map[string]state{}
	for part := range slices.Chunk(ids, filteredAtOnce) {
		if err := e.export(ctx, collection, byID(part), func(id string, s state) { held[id] = s }); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// revisions gives what a collection holds of a bucket: each document's revision by its id.
func (e *engine) revisions(ctx context.Context, collection, bucket string) (map[string]string, error) {
	held := map[string]string{}
	return held, e.export(ctx, collection, "bucket:="+bucket, func(id string, s state) { held[id] = s.Revision })
}

// export reads the states of what a filter lets through.
func (e *engine) export(ctx context.Context, collection, filter string, take func(id string, s state)) error {
	answer, err := e.client.Collection(collection).Documents().Export(ctx, &api.ExportDocumentsParams{FilterBy: &filter, IncludeFields: pointer.String("id,revision,popular")})
	if err != nil {
		return fmt.Errorf("read the index: %w", err)
	}
	lines := bufio.NewScanner(answer)
	for lines.Scan() {
		var line struct {
			ID string
			state
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return errors.Join(fmt.Errorf("read the index: %w", err), answer.Close())
		}
		take(line.ID, line.state)
	}
	return errors.Join(lines.Err(), answer.Close())
}
