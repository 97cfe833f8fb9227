package nearness

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/kit/httpclient"
)

const (
	answerLimit = 10 * time.Second
	// headerBytes hold an answer's headers.
	headerBytes = 32 << 10
	// slowest is the longest answer for which a crowd has enough shoppers to keep its rate.
	slowest = 400 * time.Millisecond
	// waiting is how many reads that are due may wait for a shopper.
	waiting = 4096
)

// crowd are the shoppers of one city.
type crowd struct {
	city City
	edge string
	menu *menu
	// rate is how many reads begin in a second.
	rate  float64
	tally *tally
}

// read goes on until the context ends. Reads begin when they are due, and their time counts from then, also when no shopper is free.
func (c *crowd) read(ctx context.Context) {
	due := make(chan time.Time, waiting)
	var shoppers sync.WaitGroup
	for range int(c.rate*slowest.Seconds()) + 4 {
		shoppers.Go(func() { c.shop(due) })
	}
	begun := time.Now()
	step := time.Duration(float64(time.Second) / c.rate)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for next := begun; ; next = next.Add(step) {
		timer.Reset(time.Until(next))
		select {
		case <-timer.C:
		case <-ctx.Done():
			close(due)
			shoppers.Wait()
			return
		}
		select {
		case due <- next:
		default:
			c.tally.note(next, 0, false, true)
		}
	}
}

// shop is one shopper with one connection.
func (c *crowd) shop(due <-chan time.Time) {
	dialer := net.Dialer{Timeout: answerLimit}
	client := httpclient.NewHost(httpclient.HostOptions{
		Address: c.edge, MaxConns: 1, Timeout: answerLimit, MaxHeaderBytes: headerBytes,
		Dial: func(address string, _ time.Duration) (net.Conn, error) {
			conn, err := dialer.DialContext(context.Background(), "tcp", address)
			if err != nil {
				return nil, err
			}
			// A connection opens after a round trip.
			time.Sleep(LastMile)
			return newDistant(conn, LastMile), nil
		},
	})
	defer client.CloseIdleConnections()
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	for begin := range due {
		request.Reset()
		response.Reset()
		request.SetRequestURI("http://" + c.edge + c.menu.draw())
		request.Header.Set("X-Edge-Location", c.city.IATA)
		request.Header.Set("Accept-Encoding", "br, gzip")
		err := client.Do(request, response)
		c.tally.note(begin, time.Since(begin), string(response.Header.Peek("X-Cache")) == "HIT", err != nil || response.StatusCode() != fasthttp.StatusOK)
	}
}
