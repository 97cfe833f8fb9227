package outbox

import (
	"fmt"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/replication/relay"
)

// Start gives a service its outbox: a writer for its transactions and a relay among its loops.
func Start(base *kit.Base) *Writer {
	writer := NewWriter(base.Name, base.Region.Region, base.Now)
	// A service on a fixed port takes its own lease over when it comes back; nobody else can hold that port meanwhile.
	holder := fmt.Sprintf("%s/%s@%s:%d", base.Region.Name, base.Name, base.Env.ListenHost, base.Env.Port)
	if base.Env.Port == 0 {
		holder = geo.NewID("rly", base.Region.Code)
	}
	source := NewSource(base.DB, base.Region.Name, holder)
	sender := relay.New(source, base.Env.Brokers, writer.Woken(), base.Log, base.Registry)
	base.Loop("relay", sender.Run)
	if others := base.OtherRegions(); len(others) > 0 {
		takeover := NewTakeover(base.DB, base.Region.Name, others, holder+"/takeover", base.Env.Brokers, base.Log)
		base.Loop("relay lost regions", kit.Every(lookEvery, takeover.Look))
	}
	return writer
}
