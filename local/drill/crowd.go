package drill

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
)

const (
	// patience is how long a shopper tries to get an answer to one purchase, as people with a spinning wheel do.
	patience = 45 * time.Second
	// answerTime bounds one request: longer than the shop's own budget, so that a 202 comes before it.
	answerTime = 8 * time.Second
	retryPause = 200 * time.Millisecond
	// maxWaiting bounds the shoppers at once. One who would be too many is a missed send: the offered rate was not kept.
	maxWaiting = 2000
	// addresses are how many source addresses the shoppers come from; gateways limit requests by address.
	addresses = 250
	skusKept  = 200
)

// crowd is the shoppers of a drill.
type crowd struct {
	options Options
	report  *Report
	edge    string
	clients []*http.Client
	skus    []string
	nearest map[string]string

	phase   atomic.Pointer[string]
	waiting atomic.Int64
	begun   int
	group   sync.WaitGroup
}

func newCrowd(ctx context.Context, options Options, report *Report) (*crowd, error) {
	c := &crowd{options: options, report: report, edge: options.Scene.Status.Edge.URL, nearest: map[string]string{}}
	for i := range addresses {
		c.clients = append(c.clients, httpclient.New(httpclient.Options{
			Timeout: answerTime, DialTimeout: answerTime, MaxIdleConnsPerHost: 4,
			LocalIP: net.IPv4(127, 20, byte(i>>8), 1+byte(i%250)),
		}))
	}
	for _, city := range geo.Cities() {
		region, err := c.servedBy(ctx, city.IATA)
		if err != nil {
			return nil, fmt.Errorf("ask the edge who serves %s: %w", city.IATA, err)
		}
		c.nearest[city.IATA] = region
	}
	var err error
	if c.skus, err = c.forSale(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *crowd) enter(phase string) { c.phase.Store(&phase) }

// servedBy gives the region that a location's shoppers are served by while all is well.
func (c *crowd) servedBy(ctx context.Context, iata string) (string, error) {
	header := map[string]string{"X-Edge-Location": iata}
	request := httpclient.Request{Client: c.clients[0], URL: c.edge + "/api/v1/regions", Header: header}
	response, err := request.Send(ctx)
	if err != nil {
		return "", err
	}
	return response.Header.Get(contract.HeaderRegion), nil
}

// forSale reads the catalog for SKUs that are in stock and have a price.
func (c *crowd) forSale(ctx context.Context) ([]string, error) {
	var skus []string
	for cursor := ""; len(skus) < skusKept; {
		var page struct {
			Items []contract.Summary `json:"items"`
			Next  string             `json:"next_cursor"`
		}
		if err := c.read(ctx, "/api/v1/products?limit=50&cursor="+cursor, &page); err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			if item.Stock != contract.BandInStock {
				continue
			}
			var product contract.Product
			if err := c.read(ctx, "/api/v1/products/"+item.Slug, &product); err != nil {
				return nil, err
			}
			for _, variant := range product.Variants {
				if variant.Stock == contract.BandInStock && variant.Price != nil {
					skus = append(skus, variant.SKU)
				}
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(skus) == 0 {
		return nil, fmt.Errorf("nothing is in stock: `meridian seed` fills an empty shop")
	}
	return skus, nil
}

func (c *crowd) read(ctx context.Context, path string, into any) error {
	return httpclient.Request{Client: c.clients[0], URL: c.edge + path}.Decode(ctx, into)
}

// buy lets shoppers begin at the rate for a while, and for as long as something else lasts that is done meanwhile. Purchases under way
// go on.
func (c *crowd) buy(ctx context.Context, length time.Duration, meanwhile func(context.Context) error) error {
	done := make(chan error, 1)
	if meanwhile == nil {
		done <- nil
	} else {
		go func() { done <- meanwhile(ctx) }()
	}
	interval := time.Duration(float64(time.Second) / c.options.Rate)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	begun := time.Now()
	for started, busy := 0, true; busy || time.Since(begun) < length; {
		// A tick that came late makes up for those that were missed: the rate is offered whether or not this machine is busy.
		for due := int(time.Since(begun)/interval) + 1; started < due; started++ {
			if err := c.begin(ctx); err != nil {
				if busy {
					err = errors.Join(err, <-done)
				}
				return err
			}
		}
		select {
		case <-ctx.Done():
			if busy {
				return errors.Join(ctx.Err(), <-done)
			}
			return ctx.Err()
		case err := <-done:
			if err != nil {
				return err
			}
			busy = false
		case <-ticker.C:
		}
	}
	return nil
}

// begin lets one shopper begin.
func (c *crowd) begin(ctx context.Context) error {
	i := c.begun
	c.begun++
	if c.waiting.Load() >= maxWaiting {
		c.report.miss()
		return nil
	}
	cities := geo.Cities()
	city := cities[i%len(cities)]
	p := &purchase{
		crowd: c, client: c.clients[i%len(c.clients)], city: city, home: c.nearest[city.IATA], sku: c.skus[(i*7)%len(c.skus)],
		key: geo.NewID("key", "any"), phase: *c.phase.Load(),
	}
	// Tokens are verified offline by whichever region serves, by its own clock.
	if i%2 == 1 {
		var err error
		if p.authorization, err = c.options.SignIn(p.home); err != nil {
			return fmt.Errorf("sign a shopper in: %w", err)
		}
	}
	c.waiting.Add(1)
	c.group.Go(func() {
		defer c.waiting.Add(-1)
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		c.report.ended(p, p.run(ctx))
	})
	return nil
}

// wait returns when the last purchase has ended.
func (c *crowd) wait() {
	c.group.Wait()
	for _, client := range c.clients {
		client.CloseIdleConnections()
	}
}
