package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// store keeps on disk what the engine was told: a write is there, and synced, before it is answered. What is in memory is made from it at
// the start.
type store struct{ db *bbolt.DB }

// The buckets: of schemas, aliases and keys by name, and of documents, synonyms and overrides by collection and id.
var (
	bucketSchemas   = []byte("schemas")
	bucketAliases   = []byte("aliases")
	bucketKeys      = []byte("keys")
	bucketDocuments = []byte("documents")
	bucketSynonyms  = []byte("synonyms")
	bucketOverrides = []byte("overrides")
)

const fileName = "search.db"

func openStore(folder string) (*store, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the search engine's folder: %w", err)
	}
	db, err := bbolt.Open(filepath.Join(folder, fileName), 0o600, &bbolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		return nil, fmt.Errorf("open the search engine's data in %s (is another engine running there?): %w", folder, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketSchemas, bucketAliases, bucketKeys, bucketDocuments, bucketSynonyms, bucketOverrides} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &store{db}, nil
}

// change is one entry of a bucket to be written, or with a nil value to be deleted.
type change struct {
	bucket     []byte
	collection string // of documents, synonyms and overrides
	key        string
	value      []byte
}

// write applies changes together and returns once they are on disk.
func (s *store) write(changes ...change) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for _, c := range changes {
			bucket := tx.Bucket(c.bucket)
			if c.collection != "" {
				var err error
				if bucket, err = bucket.CreateBucketIfNotExists([]byte(c.collection)); err != nil {
					return err
				}
			}
			var err error
			if c.value == nil {
				err = bucket.Delete([]byte(c.key))
			} else {
				err = bucket.Put([]byte(c.key), c.value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep what was written: %w", err)
	}
	return nil
}

// drop deletes all of a collection.
func (s *store) drop(collection string) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketDocuments, bucketSynonyms, bucketOverrides} {
			if err := tx.Bucket(name).DeleteBucket([]byte(collection)); err != nil && !errors.Is(err, bbolt.ErrBucketNotFound) { //nolint:staticcheck // the name that this version documents
				return err
			}
		}
		return tx.Bucket(bucketSchemas).Delete([]byte(collection))
	})
}

// load reads all back.
func (e *Engine) load() error {
	return e.store.db.View(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(bucketSchemas).ForEach(func(_, text []byte) error { return e.loadCollection(tx, text) }); err != nil {
			return err
		}
		if err := tx.Bucket(bucketAliases).ForEach(func(name, target []byte) error {
			e.aliases[string(name)] = string(target)
			return nil
		}); err != nil {
			return err
		}
		return tx.Bucket(bucketKeys).ForEach(func(_, text []byte) error {
			var k apiKey
			if err := json.Unmarshal(text, &k); err != nil {
				return fmt.Errorf("read a key: %w", err)
			}
			e.keys[k.ID] = k
			return nil
		})
	})
}

func (e *Engine) loadCollection(tx *bbolt.Tx, text []byte) error {
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("read a schema: %w", err)
	}
	if err := s.prepare(); err != nil {
		return fmt.Errorf("read the schema of %s: %w", s.Name, err)
	}
	c := newCollection(s)
	if documents := tx.Bucket(bucketDocuments).Bucket([]byte(s.Name)); documents != nil {
		if err := documents.ForEach(func(id, source []byte) error {
			d, err := c.schema.read(source)
			if err != nil {
				return fmt.Errorf("read the document %s of %s: %w", id, s.Name, err)
			}
			c.put(d)
			return nil
		}); err != nil {
			return err
		}
	}
	if err := loadInto(tx.Bucket(bucketSynonyms).Bucket([]byte(s.Name)), c.synonyms); err != nil {
		return err
	}
	if err := loadInto(tx.Bucket(bucketOverrides).Bucket([]byte(s.Name)), c.overrides); err != nil {
		return err
	}
	e.collections[s.Name] = c
	return nil
}

func loadInto[T any](from *bbolt.Bucket, into map[string]T) error {
	if from == nil {
		return nil
	}
	return from.ForEach(func(id, text []byte) error {
		var value T
		if err := json.Unmarshal(text, &value); err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		into[string(id)] = value
		return nil
	})
}
