package outbox

import (
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/replication/relay"
)

// Outbox is how a service writes events in its transactions and sends them afterwards.
type Outbox struct {
	Writer *Writer
	loops  []kit.Loop
}

// New makes the outbox of a service that requires SQL and the broker.
func New(base *kit.Base) *Outbox {
	o := &Outbox{Writer: NewWriter(base.Name, base.Region.Region, base.Now)}
	holder := base.LeaseHolder()
	source := NewSource(base.DB, base.Region.Name, holder)
	sender := relay.New(source, base.Env.Brokers, o.Writer.Woken(), base.Log, base.Registry)
	o.loops = []kit.Loop{{Name: "relay events", Run: sender.Run}}
	if others := base.OtherRegions(); len(others) > 0 {
		takeover := NewTakeover(base.DB, base.Region.Name, others, holder+"/takeover", base.Env.Brokers, base.Log)
		o.loops = append(o.loops, kit.Loop{Name: "relay events of lost regions", Run: kit.Every(lookEvery, takeover.Look)})
	}
	return o
}

// Loops returns the loops that send events: this region's, and those of regions whose relay has stopped.
func (o *Outbox) Loops() []kit.Loop { return o.loops }
