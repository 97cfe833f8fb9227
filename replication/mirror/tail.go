package mirror

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// tailLength is how many records at the end of each partition of the target are looked at: the last transaction is among them.
	tailLength = 1000
	// tailQuiet is how long nothing may come before what came is all: a broker that was killed may tell an end that no reader reaches.
	tailQuiet = 500 * time.Millisecond
	// mirroredHeader names, on a copied record, the source and the record's offset there: us-east/1234.
	mirroredHeader = "mirrored"
)

func (m *Mirror) mirroredFrom(offset int64) kgo.RecordHeader {
	return kgo.RecordHeader{Key: mirroredHeader, Value: fmt.Appendf(nil, "%s/%d", m.source.Region, offset)}
}

// sourceOffset gives the offset that a copied record had in this mirror's source; false for a record of another.
func (m *Mirror) sourceOffset(record *kgo.Record) (int64, bool) {
	for _, header := range record.Headers {
		if header.Key == mirroredHeader {
			digits, ours := strings.CutPrefix(string(header.Value), m.source.Region+"/")
			offset, err := strconv.ParseInt(digits, 10, 64)
			return offset, ours && err == nil
		}
	}
	return 0, false
}

// resume gives where to go on in each partition. A broker writes the end of a transaction partition by partition; one that does not finish
// that after it was killed, as the one on one machine, leaves some partitions with and some without what was committed, the ledger's among
// either. What a partition itself holds decides then: it is never torn.
func (m *Mirror) resume(ctx context.Context, client *kgo.Client, known map[partition]position) (map[partition]int64, error) {
	tails, err := m.tails(ctx, client)
	if err != nil {
		return nil, err
	}
	next := map[partition]int64{}
	for at, ledger := range known {
		next[at] = ledger.Next
	}
	for at, tail := range tails {
		ledger := known[at]
		newest := ledger.Copied - 1
		switch {
		case tail.end > ledger.Next:
			m.log.WarnContext(ctx, "The ledger lacks what is copied already.", "topic", at.topic, "partition", at.id, "ledger", ledger.Next, "copied", tail.end)
			next[at] = tail.end
		case ledger.Copied > 0 && tail.dropped[newest] && tail.end <= newest:
			m.log.WarnContext(ctx, "The ledger has what was never committed; it is copied again.", "topic", at.topic, "partition", at.id, "from", ledger.From, "to", ledger.Next)
			next[at] = ledger.From
		}
	}
	return next, nil
}

// tail is what the end of a partition of the target holds of the source.
type tail struct {
	// end is behind the newest record that was committed, by the source's offsets.
	end int64
	// dropped are those whose transactions were aborted.
	dropped map[int64]bool
	// open are those of which no end is seen, by their producer.
	open map[int64][]int64
}

// take adds a record.
func (t *tail) take(m *Mirror, record *kgo.Record) {
	if !record.Attrs.IsControl() {
		if offset, ours := m.sourceOffset(record); ours {
			t.open[record.ProducerID] = append(t.open[record.ProducerID], offset)
		}
		return
	}
	for _, offset := range t.open[record.ProducerID] {
		if isCommit(record.Key) {
			t.end = max(t.end, offset+1)
		} else {
			t.dropped[offset] = true
		}
	}
	delete(t.open, record.ProducerID)
}

// isCommit reads the key of a control record: its version, and 0 for an abort or 1 for a commit.
func isCommit(key []byte) bool { return len(key) >= 4 && binary.BigEndian.Uint16(key[2:]) == 1 }

// tails reads the ends of all partitions that are copied to, committed or not.
func (m *Mirror) tails(ctx context.Context, target *kgo.Client) (map[partition]*tail, error) {
	admin := kadm.NewClient(target)
	topics, err := mirrored(ctx, admin)
	if err != nil {
		return nil, fmt.Errorf("list the topics of %s: %w", m.target.Region, err)
	}
	names := make([]string, 0, len(topics))
	for topic := range topics {
		names = append(names, topic)
	}
	if len(names) == 0 {
		return nil, nil // no name would mean all of them
	}
	ends, err := admin.ListEndOffsets(ctx, names...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ask where the topics of %s end: %w", m.target.Region, err)
	}
	found, left := map[partition]*tail{}, map[partition]int64{}
	from := map[string]map[int32]kgo.Offset{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Offset == 0 {
			return
		}
		at := partition{end.Topic, end.Partition}
		found[at], left[at] = &tail{dropped: map[int64]bool{}, open: map[int64][]int64{}}, end.Offset
		if from[at.topic] == nil {
			from[at.topic] = map[int32]kgo.Offset{}
		}
		from[at.topic][at.id] = kgo.NewOffset().At(max(0, end.Offset-tailLength))
	})
	reader, err := kgo.NewClient(append(m.target.options(), kgo.ConsumePartitions(from), kgo.KeepControlRecords(),
		kgo.FetchIsolationLevel(kgo.ReadUncommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(fetchWait))...)
	if err != nil {
		return nil, fmt.Errorf("make a reader of %s: %w", m.target.Region, err)
	}
	defer reader.Close()
	for len(left) > 0 {
		polled, cancel := context.WithTimeout(ctx, tailQuiet)
		fetches := reader.PollFetches(polled)
		cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if fetches.NumRecords() == 0 {
			break
		}
		fetches.EachRecord(func(record *kgo.Record) {
			at := partition{record.Topic, record.Partition}
			found[at].take(m, record)
			if record.Offset+1 >= left[at] {
				delete(left, at)
			}
		})
	}
	return found, nil
}
