package mirror

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// mirroredHeader names, on a copied record, the source and the record's offset there: us-east/1234.
const mirroredHeader = "mirrored"

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
		case ledger.Copied > 0 && tail.seen[newest] && tail.end <= newest:
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
	// seen are all records, committed or not. One that is not may be aborted, or have no end at all: whoever wrote it was fenced before the
	// tail was read, so no end will come, and a broker that was killed may drop what was open without a word in its log.
	seen map[int64]bool
	// open are those of which no end was read yet, by their producer.
	open map[int64][]int64
}

func newTail() *tail { return &tail{seen: map[int64]bool{}, open: map[int64][]int64{}} }

// take adds a record.
func (t *tail) take(m *Mirror, record *kgo.Record) {
	if !record.Attrs.IsControl() {
		if offset, ours := m.sourceOffset(record); ours {
			t.seen[offset] = true
			t.open[record.ProducerID] = append(t.open[record.ProducerID], offset)
		}
		return
	}
	if isCommit(record.Key) {
		for _, offset := range t.open[record.ProducerID] {
			t.end = max(t.end, offset+1)
		}
	}
	delete(t.open, record.ProducerID)
}

// isCommit reads the key of a control record: its version, and 0 for an abort or 1 for a commit.
func isCommit(key []byte) bool { return len(key) >= 4 && binary.BigEndian.Uint16(key[2:]) == 1 }
