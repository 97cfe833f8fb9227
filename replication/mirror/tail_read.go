package mirror

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// tailLength is how many records at the end of each partition of the target are looked at: the last transaction is among them.
	tailLength = 2 * batch
	// tailAnswer bounds one answer of a broker.
	tailAnswer int32 = 1 << 20
)

// reading is a partition of the target that is read up to its end.
type reading struct {
	partition
	topicID   [16]byte
	next, end int64
	into      *tail
}

// tails reads the ends of all partitions that are copied to, committed or not. Nothing else may write there as a mirror of this source.
func (m *Mirror) tails(ctx context.Context, target *kgo.Client) (map[partition]*tail, error) {
	byLeader, err := m.readings(ctx, kadm.NewClient(target))
	if err != nil {
		return nil, err
	}
	found := map[partition]*tail{}
	for leader, readings := range byLeader {
		for _, r := range readings {
			found[r.partition] = r.into
		}
		if err := m.readEnds(ctx, target.Broker(int(leader)), readings); err != nil {
			return nil, fmt.Errorf("read the ends of the topics of %s: %w", m.target.Region, err)
		}
	}
	return found, nil
}

// readings tells what there is to read, by the broker that has it.
func (m *Mirror) readings(ctx context.Context, admin *kadm.Client) (map[int32][]*reading, error) {
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the topics of %s: %w", m.target.Region, err)
	}
	var names []string
	for name, detail := range topics {
		if Mirrored(name) && detail.Err == nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil // no name would mean all of them
	}
	starts, err := offsets(admin.ListStartOffsets(ctx, names...))
	if err != nil {
		return nil, fmt.Errorf("ask where the topics of %s begin: %w", m.target.Region, err)
	}
	ends, err := offsets(admin.ListEndOffsets(ctx, names...))
	if err != nil {
		return nil, fmt.Errorf("ask where the topics of %s end: %w", m.target.Region, err)
	}
	byLeader := map[int32][]*reading{}
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(end.Topic, end.Partition)
		if end.Offset <= start.Offset {
			return
		}
		topic := topics[end.Topic]
		leader := topic.Partitions[end.Partition].Leader
		byLeader[leader] = append(byLeader[leader], &reading{
			partition: partition{end.Topic, end.Partition}, topicID: topic.ID, next: max(start.Offset, end.Offset-tailLength), end: end.Offset,
			into: newTail(),
		})
	})
	return byLeader, nil
}

func offsets(listed kadm.ListedOffsets, err error) (kadm.ListedOffsets, error) {
	if err == nil {
		err = listed.Error()
	}
	return listed, err
}

// readEnds asks a broker until every end is reached, or until it says for all that are left that it has nothing more: one that was killed
// may tell an end that no reader reaches. The broker itself has to say so; that nothing came for a while would prove nothing.
func (m *Mirror) readEnds(ctx context.Context, broker *kgo.Broker, readings []*reading) error {
	for len(readings) > 0 {
		asked, cancel := context.WithTimeout(ctx, deliveryTimeout)
		answer, err := broker.RetriableRequest(asked, fetchOf(readings))
		cancel()
		if err != nil {
			return err
		}
		records, err := m.takeAnswer(answer.(*kmsg.FetchResponse), readings)
		if err != nil || records == 0 {
			return err
		}
		readings = slices.DeleteFunc(readings, func(r *reading) bool { return r.next >= r.end })
	}
	return nil
}

// fetchOf asks for all that is left, and for an answer at once.
func fetchOf(readings []*reading) *kmsg.FetchRequest {
	request := kmsg.NewPtrFetchRequest()
	request.MaxBytes = tailAnswer
	for _, r := range readings {
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes = r.id, r.next, tailAnswer
		at := slices.IndexFunc(request.Topics, func(t kmsg.FetchRequestTopic) bool { return t.Topic == r.topic })
		if at < 0 {
			topic := kmsg.NewFetchRequestTopic()
			topic.Topic, topic.TopicID = r.topic, r.topicID
			at, request.Topics = len(request.Topics), append(request.Topics, topic)
		}
		request.Topics[at].Partitions = append(request.Topics[at].Partitions, p)
	}
	return request
}

// takeAnswer adds what came to the tails, and counts it.
func (m *Mirror) takeAnswer(answer *kmsg.FetchResponse, readings []*reading) (records int, err error) {
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return 0, err
	}
	answered, decompressor := 0, kgo.DefaultDecompressor()
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			i := slices.IndexFunc(readings, func(r *reading) bool {
				return r.id == p.Partition && (r.topic == topic.Topic || topic.Topic == "" && r.topicID == topic.TopicID)
			})
			if i < 0 {
				continue
			}
			answered++
			r := readings[i]
			read, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
				KeepControlRecords: true, Offset: r.next, IsolationLevel: kgo.ReadUncommitted(), Topic: r.topic, Partition: r.id,
			}, &p, decompressor, nil)
			if read.Err != nil {
				return records, fmt.Errorf("%s/%d: %w", r.topic, r.id, read.Err)
			}
			for _, record := range read.Records {
				r.into.take(m, record)
				r.next = record.Offset + 1
			}
			records += len(read.Records)
		}
	}
	// An answer that is full leaves out partitions; one that brings nothing has room for all.
	if records == 0 && answered < len(readings) {
		return 0, fmt.Errorf("the broker answered for %d of %d partitions", answered, len(readings))
	}
	return records, nil
}
