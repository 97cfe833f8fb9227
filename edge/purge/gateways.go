package purge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// dropTimeout bounds one gateway's answer. One that does not answer in time is no longer served from by the time that Consul has seen it,
// and hears of the same events by itself.
const dropTimeout = 500 * time.Millisecond

// gateways are the region's, as Consul knows them.
type gateways struct {
	// instances gives the host:port of each healthy one.
	instances func() []string
	secret    string
	client    *http.Client
	log       *slog.Logger
	metrics   *metrics
}

// Drop tells all at once.
func (g *gateways) Drop(ctx context.Context, what contract.AnswersPurge) {
	body, err := json.Marshal(what)
	if err != nil {
		panic(err) // texts and a truth value
	}
	ctx, cancel := context.WithTimeout(ctx, dropTimeout)
	defer cancel()
	var told sync.WaitGroup
	for _, address := range g.instances() {
		told.Go(func() {
			if err := g.drop(ctx, address, body); err != nil && ctx.Err() != context.Canceled { //nolint:errorlint // only the caller cancels
				g.metrics.missed.Inc()
				g.log.WarnContext(ctx, "A gateway did not drop what it keeps; it hears of the change by its event.", "gateway", address, "error", err.Error())
			}
		})
	}
	told.Wait()
}

func (g *gateways) drop(ctx context.Context, address string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+contract.PathPurgeAnswers, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(contract.HeaderInternal, g.secret)
	response, err := g.client.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusNoContent {
		return errors.New("it answers " + fmt.Sprint(response.StatusCode))
	}
	return nil
}
