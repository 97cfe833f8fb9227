package launcher

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
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
		l.note("warning: %s is stopped without having been drained: %v", name, err)
	}
}

func (l *launcher) askDrain(ctx context.Context, i int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url(l.ports.Gateway(i))+kit.DrainPath, http.NoBody) //nolint:gosec // on this machine, at a port of ours
	if err != nil {
		return err
	}
	request.Header.Set(contract.HeaderInternal, l.secrets.Internal)
	response, err := http.DefaultClient.Do(request) //nolint:gosec // as above
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("its gateway answers %s", response.Status)
	}
	return nil
}
