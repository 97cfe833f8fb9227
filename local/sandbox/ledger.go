package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// The ledger's buckets. Ids begin with the time they were made at, so that their order is the order of creation.
var (
	bucketIntents = []byte("intents") // id → intent
	bucketRefunds = []byte("refunds") // id → refund
	bucketKeys    = []byte("keys")    // idempotency key → kept
	bucketEvents  = []byte("events")  // id → event that was not delivered yet
)

const (
	openTimeout = 5 * time.Second
	// gather is how long a change waits for others that share its sync to the disk.
	gather = time.Millisecond
)

// errClosed says that the ledger is closed.
var errClosed = errors.New("the ledger is closed")

// ledger is what the provider remembers. Every change is on the disk before it is answered.
type ledger struct{ db *bbolt.DB }

func openLedger(path string) (*ledger, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: openTimeout, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("open the payment sandbox's ledger %s: %w", path, err)
	}
	db.MaxBatchDelay = gather
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketIntents, bucketRefunds, bucketKeys, bucketEvents} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the payment sandbox's ledger: %w", err), db.Close())
	}
	return &ledger{db}, nil
}

func (l *ledger) close() error { return l.db.Close() }

// change runs a change together with others that come at the same time; do may run more than once.
func (l *ledger) change(do func(books books) error) error {
	err := l.db.Batch(func(tx *bbolt.Tx) error { return do(books{tx}) })
	if errors.Is(err, bbolt.ErrDatabaseNotOpen) { //nolint:staticcheck // the name that v1.4 and before share
		return errClosed
	}
	return err
}

func (l *ledger) read(do func(books books) error) error {
	err := l.db.View(func(tx *bbolt.Tx) error { return do(books{tx}) })
	if errors.Is(err, bbolt.ErrDatabaseNotOpen) { //nolint:staticcheck // as above
		return errClosed
	}
	return err
}

// books are the ledger within one transaction.
type books struct{ tx *bbolt.Tx }

func (b books) put(bucket []byte, key string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	return b.tx.Bucket(bucket).Put([]byte(key), data)
}

// get reads a value; false when there is none.
func (b books) get(bucket []byte, key string, into any) (bool, error) {
	data := b.tx.Bucket(bucket).Get([]byte(key))
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("read %s: %w", key, err)
	}
	return true, nil
}

func (b books) drop(bucket []byte, key string) error { return b.tx.Bucket(bucket).Delete([]byte(key)) }

// newestFirst gives the values before a key, all when it is "", until each says that it has enough.
func (b books) newestFirst(bucket []byte, before string, each func(data []byte) (more bool, err error)) error {
	cursor := b.tx.Bucket(bucket).Cursor()
	key, data := cursor.Last()
	if before != "" {
		cursor.Seek([]byte(before))
		key, data = cursor.Prev()
	}
	for ; key != nil; key, data = cursor.Prev() {
		more, err := each(data)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// oldestFirst gives keys and values until each says that it has enough.
func (b books) oldestFirst(bucket []byte, each func(key string, data []byte) (more bool, err error)) error {
	cursor := b.tx.Bucket(bucket).Cursor()
	for key, data := cursor.First(); key != nil; key, data = cursor.Next() {
		more, err := each(string(key), data)
		if err != nil || !more {
			return err
		}
	}
	return nil
}
