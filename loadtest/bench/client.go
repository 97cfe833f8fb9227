package main

import (
	"fmt"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/kit/httpclient"
)

const (
	// linesPerClient are a client's connections, each from an address of its own, used in turn: gateways limit requests by
	// address, and what is measured is the shop, not its limits.
	linesPerClient = 16
	// answerLimit is far beyond any answer of a shop that works.
	answerLimit = 30 * time.Second
	// headerBytes hold an answer's headers: the tags of a list alone may be 16 KB.
	headerBytes = 32 << 10
)

// client sends one request after another to one server.
type client struct {
	host     string
	lines    []*fasthttp.HostClient
	next     int
	request  fasthttp.Request
	response fasthttp.Response
}

// newClient makes the i-th client of a server, host:port.
func newClient(i int, host string) *client {
	c := &client{host: host}
	for line := range linesPerClient {
		// All of 127/8 is this machine. 127.0 is left to those who count on it.
		from := net.IPv4(127, 1+byte(line), byte(i>>8), 1+byte(i))
		c.lines = append(c.lines, httpclient.NewHost(httpclient.HostOptions{
			Address: host, LocalIP: from, MaxConns: 1, MaxHeaderBytes: headerBytes,
			Timeout: answerLimit, DialTimeout: answerLimit,
		}))
	}
	return c
}

// prepare empties the request and the response for the next exchange.
func (c *client) prepare(method, path string) *fasthttp.Request {
	c.request.Reset()
	c.response.Reset()
	c.request.Header.SetMethod(method)
	c.request.SetRequestURI("http://" + c.host + path)
	return &c.request
}

// send does the exchange; any other status than the wanted is an error.
func (c *client) send(want int) (*fasthttp.Response, error) {
	line := c.lines[c.next%len(c.lines)]
	c.next++
	if err := line.Do(&c.request, &c.response); err != nil {
		return nil, fmt.Errorf("%s %s: %w", c.request.Header.Method(), c.request.URI().Path(), err)
	}
	if got := c.response.StatusCode(); got != want {
		return nil, fmt.Errorf("%s %s answers %d: %.300s", c.request.Header.Method(), c.request.URI().Path(), got, c.response.Body())
	}
	return &c.response, nil
}

func (c *client) close() {
	for _, line := range c.lines {
		line.CloseIdleConnections()
	}
}
