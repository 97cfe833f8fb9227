package cart

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/replication/relay"
)

// leaseLength is how long a relay that died keeps a slot's outbox from another.
const leaseLength = 5 * time.Second

// stream is the outbox in Redis as the relay reads it: a stream for each slot, fenced by a lease for each.
type stream struct {
	redis  rueidis.Client
	keys   keys
	events eventMaker
	// holder names this process; two living processes must not share it.
	holder string
	// more is called when something was left behind for want of room.
	more       func()
	hold, sent *rueidis.Lua
	// epochs are those of the slots that are held.
	epochs map[int]int64
}

func newStream(redis rueidis.Client, namespace string, events eventMaker, holder string, more func()) *stream {
	return &stream{
		redis: redis, keys: keys{namespace}, events: events, holder: holder, more: more,
		// All may be repeated without harm, and so rueidis may repeat them after a lost connection.
		hold: rueidis.NewLuaScriptRetryable(holdSource), sent: rueidis.NewLuaScriptRetryable(sentSource),
		epochs: map[int]int64{},
	}
}

// place is where a record stands in the outbox.
type place struct {
	slot  int
	entry string
}

// Hold takes or renews the lease of every slot that no other relay holds, and says whether there is one. A lease taken anew has a
// new epoch, which fences off whoever held it before.
func (s *stream) Hold(ctx context.Context) (bool, error) {
	executions := make([]rueidis.LuaExec, slots)
	for slot := range slots {
		known := ""
		if epoch, held := s.epochs[slot]; held {
			known = decimal(epoch)
		}
		executions[slot] = rueidis.LuaExec{
			Keys: []string{s.keys.lease(slot), s.keys.epoch(slot)},
			Args: []string{s.holder, known, decimal(leaseLength.Milliseconds())},
		}
	}
	epochs := map[int]int64{}
	for slot, answer := range s.hold.ExecMulti(ctx, s.redis, executions...) {
		epoch, err := answer.AsInt64()
		if err != nil {
			return false, fmt.Errorf("hold the outbox of slot %d: %w", slot, err)
		}
		if epoch > 0 {
			epochs[slot] = epoch
		}
	}
	s.epochs = epochs
	return len(epochs) > 0, nil
}

// Pending gives the oldest events of the slots that are held, each cart's in order. Every slot gets its share of the limit, and
// what idle slots leave of theirs goes to the busy ones.
func (s *stream) Pending(ctx context.Context, limit int) ([]relay.Record, error) {
	if len(s.epochs) == 0 {
		return nil, nil
	}
	var records []relay.Record
	after := map[int]string{}
	for slot := range s.epochs {
		after[slot] = "-"
	}
	for range 2 {
		share := (limit - len(records) + len(after) - 1) / max(1, len(after))
		if share == 0 || len(after) == 0 {
			break
		}
		read, err := s.read(ctx, after, share)
		if err != nil {
			return nil, err
		}
		records = append(records, read...)
	}
	if len(after) > 0 {
		s.more()
	}
	return records[:min(limit, len(records))], nil
}

// read reads a share of each slot's entries in one round trip. It leaves in after the slots that may have more, and from where.
func (s *stream) read(ctx context.Context, after map[int]string, share int) ([]relay.Record, error) {
	var order []int
	var commands rueidis.Commands
	for slot, from := range after {
		order = append(order, slot)
		commands = append(commands, s.redis.B().Xrange().Key(s.keys.outbox(slot)).Start(from).End("+").Count(int64(share)).Build())
	}
	var records []relay.Record
	for i, answer := range s.redis.DoMulti(ctx, commands...) {
		entries, err := answer.AsXRange()
		if err != nil {
			return nil, fmt.Errorf("read the outbox of slot %d: %w", order[i], err)
		}
		for _, entry := range entries {
			record, err := s.events.fromEntry(entry.FieldValues)
			if err != nil {
				return nil, fmt.Errorf("entry %s of the outbox of slot %d: %w", entry.ID, order[i], err)
			}
			record.Position = place{slot: order[i], entry: entry.ID}
			records = append(records, record)
		}
		delete(after, order[i])
		if len(entries) == share {
			after[order[i]] = "(" + entries[len(entries)-1].ID
		}
	}
	return records, nil
}

// Sent forgets events that the broker has acknowledged, unless another relay took their slot over meanwhile: it will send them
// again, and consumers drop what they have seen.
func (s *stream) Sent(ctx context.Context, records []relay.Record) error {
	entries := map[int][]string{}
	for _, record := range records {
		at, ours := record.Position.(place)
		if !ours {
			return fmt.Errorf("the event %s is not of this outbox", record.Event.ID)
		}
		entries[at.slot] = append(entries[at.slot], at.entry)
	}
	var executions []rueidis.LuaExec
	for slot, ids := range entries {
		lease := strconv.FormatInt(s.epochs[slot], 10) + "|" + s.holder
		executions = append(executions, rueidis.LuaExec{
			Keys: []string{s.keys.lease(slot), s.keys.outbox(slot)}, Args: append([]string{lease}, ids...),
		})
	}
	for _, answer := range s.sent.ExecMulti(ctx, s.redis, executions...) {
		if err := answer.Error(); err != nil {
			return fmt.Errorf("delete sent events: %w", err)
		}
	}
	return nil
}
