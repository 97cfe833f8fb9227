package journeys_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-store/meridian/kit/httpclient"
)

var errNoAnswer = errors.New("no answer")

// counter reads one metric without labels of a service; errNoAnswer when it does not answer within a second.
func counter(ctx context.Context, url, name string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	response, err := httpclient.Request{URL: url + "/metrics"}.Send(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	for line := range strings.Lines(string(response.Body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int(n), err
		}
	}
	return 0, fmt.Errorf("%s has no metric %s", url, name)
}
