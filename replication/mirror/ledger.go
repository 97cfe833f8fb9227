package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/geo"
)

// ledgerPrefix leads the names of the topics that hold mirrors' positions; topics of that name are not mirrored themselves.
const ledgerPrefix = "mirror-positions-"

// LedgerTopic names the topic, in the target's broker, that tells how far a source has been copied. It is compacted.
func LedgerTopic(source string) string { return ledgerPrefix + source }

// A ledger's records are told apart by the first word of their keys.
const (
	// holderKey + a transactional id: whoever copied or copies with it; it is forgotten once the id is fenced.
	holderKey = "holder/"
	// positionKey + topic/partition: the source's offset that is read next.
	positionKey = "position/"
	// barrierKey marks the end of what is read back: a broker that was killed may tell an end that no reader reaches.
	barrierKey = "barrier"
)

// partition is one partition of the source.
type partition struct {
	topic string
	id    int32
}

func (p partition) key() []byte { return fmt.Appendf(nil, "%s%s/%d", positionKey, p.topic, p.id) }

func parsePartition(key string) (partition, error) {
	topic, id, ok := strings.Cut(strings.TrimPrefix(key, positionKey), "/")
	var p partition
	if _, err := fmt.Sscanf(id, "%d", &p.id); err != nil || !ok || topic == "" {
		return partition{}, fmt.Errorf("the ledger's key %q names no partition", key)
	}
	p.topic = topic
	return p, nil
}

// position is the value of a partition's record.
type position struct {
	Next int64 `json:"next"`
	// From is where the transaction that says so began, Copied the offset behind the newest event in it, 0 when it had none.
	From   int64 `json:"from,omitempty"`
	Copied int64 `json:"copied,omitempty"`
}

// newID makes a transactional id that was never used.
func (m *Mirror) newID() string { return "mirror-" + m.source.Region + "-" + geo.NewID("mir", "any") }

// claim makes the holder of a transactional id the only one who copies, and tells where to go on: it announces the id, fences every other, and
// only then reads how far they came. The id must have been initialised at the broker before: fencing an id that its holder
// initialises afterwards would stop nobody.
func (m *Mirror) claim(ctx context.Context, id string) (map[partition]int64, error) {
	client, err := kgo.NewClient(append(m.target.options(),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1),
		kgo.RecordDeliveryTimeout(deliveryTimeout))...)
	if err != nil {
		return nil, fmt.Errorf("make a client of the broker of %s: %w", m.target.Region, err)
	}
	defer client.Close()
	if err := m.makeLedger(ctx, client); err != nil {
		return nil, err
	}
	if err := m.note(ctx, client, holderKey+id, []byte(m.target.Region)); err != nil {
		return nil, err
	}
	seen, err := m.readLedger(ctx, client, kgo.ReadUncommitted())
	if err != nil {
		return nil, err
	}
	for _, older := range seen.holders {
		if older == id {
			continue
		}
		if err := m.fence(ctx, older); err != nil {
			return nil, err
		}
		if err := m.note(ctx, client, holderKey+older, nil); err != nil {
			return nil, err
		}
	}
	// Nothing of theirs is open any more, and nothing of theirs can follow.
	settled, err := m.readLedger(ctx, client, kgo.ReadCommitted())
	if err != nil {
		return nil, err
	}
	return m.resume(ctx, client, settled.positions)
}

func (m *Mirror) makeLedger(ctx context.Context, client *kgo.Client) error {
	settings := map[string]*string{
		"cleanup.policy": kadm.StringPtr("compact"), "retention.ms": kadm.StringPtr("-1"), "retention.bytes": kadm.StringPtr("-1"),
	}
	_, err := kadm.NewClient(client).CreateTopic(ctx, 1, -1, settings, LedgerTopic(m.source.Region))
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("make the ledger of the mirror: %w", err)
	}
	return nil
}

// note writes one record outside any transaction.
func (m *Mirror) note(ctx context.Context, client *kgo.Client, key string, value []byte) error {
	record := &kgo.Record{Topic: LedgerTopic(m.source.Region), Key: []byte(key), Value: value}
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("write to the ledger of the mirror: %w", err)
	}
	return nil
}

// fence ends the transaction that an id left open and refuses all that comes with it later.
func (m *Mirror) fence(ctx context.Context, id string) error {
	client, err := kgo.NewClient(append(m.target.options(), kgo.TransactionalID(id), kgo.TransactionTimeout(transactionTimeout))...)
	if err != nil {
		return fmt.Errorf("make a client of the broker of %s: %w", m.target.Region, err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*transactionTimeout)
	defer cancel()
	if _, _, err := client.ProducerID(ctx); err != nil {
		return fmt.Errorf("fence the mirror %s: %w", id, err)
	}
	return nil
}

// contents is what a ledger says.
type contents struct {
	holders   []string
	positions map[partition]position
}

// readLedger reads from the start to a barrier of its own.
func (m *Mirror) readLedger(ctx context.Context, client *kgo.Client, isolation kgo.IsolationLevel) (contents, error) {
	barrier := geo.NewID("bar", "any")
	if err := m.note(ctx, client, barrierKey, []byte(barrier)); err != nil {
		return contents{}, err
	}
	reader, err := kgo.NewClient(append(m.target.options(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{LedgerTopic(m.source.Region): {0: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(isolation), kgo.FetchMaxWait(fetchWait))...)
	if err != nil {
		return contents{}, fmt.Errorf("make a reader of the ledger: %w", err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*transactionTimeout)
	defer cancel()
	holders := map[string]time.Time{}
	found := contents{positions: map[partition]position{}}
	for {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return contents{}, fmt.Errorf("read the ledger of the mirror: %w", err)
		}
		for _, record := range fetches.Records() {
			key := string(record.Key)
			switch {
			case key == barrierKey && string(record.Value) == barrier:
				for id := range holders {
					found.holders = append(found.holders, id)
				}
				return found, nil
			case strings.HasPrefix(key, holderKey) && record.Value == nil:
				delete(holders, strings.TrimPrefix(key, holderKey))
			case strings.HasPrefix(key, holderKey):
				holders[strings.TrimPrefix(key, holderKey)] = record.Timestamp
			case strings.HasPrefix(key, positionKey):
				if err := found.take(key, record.Value); err != nil {
					return contents{}, err
				}
			}
		}
	}
}

func (c contents) take(key string, value []byte) error {
	at, err := parsePartition(key)
	if err != nil {
		return err
	}
	var read position
	if err := json.Unmarshal(value, &read); err != nil {
		return fmt.Errorf("the ledger's position of %s can not be read: %w", key, err)
	}
	c.positions[at] = read
	return nil
}
