package launcher

import (
	"context"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/secret"
)

// leaveWait is how long the edge may take to send shoppers elsewhere: two probes of its own, a second apart, and some more.
const leaveWait = 6 * time.Second

// drain has the i-th region's gateway say that it is not ready, and returns when the edge sends it no more shoppers. It goes on to answer
// what is under way. A gateway that can not be asked has nobody to drain.
func (l *launcher) drain(ctx context.Context, i int) {
	name := l.Regions[i].Name
	ctx, cancel := context.WithTimeout(ctx, leaveWait)
	defer cancel()
	err := l.askDrain(ctx, i)
	if err == nil {
		err = l.awaitEdge(ctx, name, false)
	}
	if err != nil {
		l.note("warning: %s is stopped without having been drained: %s", name, httpx.ErrorChain(err))
	}
}

func (l *launcher) askDrain(ctx context.Context, i int) error {
	client := httpx.NewClientAt(address(l.ports.Gateway(i)), secret.New(l.secrets.Internal))
	defer client.Close()
	return client.Do(ctx, httpx.Call{
		Service: contract.ServiceGateway, Method: http.MethodPost, Path: kit.DrainPath, Timeout: leaveWait,
	})
}
