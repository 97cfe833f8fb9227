package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/redis/rueidis"
	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/local/launcher"
)

// Where the bare server sends what.
const (
	bareList    = "/list"
	bareProduct = "/product"
	bareCart    = "/cart"
)

// baseline is what the bare server is told on its standard input, so that no password stands in a command line.
type baseline struct {
	// Answers are sent in turn, by path.
	Answers       map[string][]reply `json:"answers"`
	RedisAddress  string             `json:"redis_address"`
	RedisPassword string             `json:"redis_password"`
}

// reply is one answer of the shop, byte for byte.
type reply struct {
	Headers [][2]string `json:"headers"`
	Body    []byte      `json:"body"`
}

type bareOptions struct{}

// Run serves until its standard input ends. Its first line of output is where.
func (bareOptions) Run(ctx context.Context) error {
	input := bufio.NewReader(os.Stdin)
	line, err := input.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read what to serve: %w", err)
	}
	var told baseline
	if err := json.Unmarshal(line, &told); err != nil {
		return fmt.Errorf("read what to serve: %w", err)
	}
	redis, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{told.RedisAddress}, Password: told.RedisPassword, DisableCache: true})
	if err != nil {
		return fmt.Errorf("open Redis at %s: %w", told.RedisAddress, err)
	}
	defer redis.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &fasthttp.Server{Handler: bareHandler(ctx, told, redis), CloseOnShutdown: true, NoDefaultServerHeader: true}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Println(listener.Addr())
	if _, err := io.Copy(io.Discard, input); err != nil {
		return fmt.Errorf("wait for the end: %w", err)
	}
	return errors.Join(server.Shutdown(), <-served)
}

// bareHandler is the least: a map, a turn, the bytes; for a cart one write that shares its way to Redis with the others'.
func bareHandler(ctx context.Context, told baseline, redis rueidis.Client) fasthttp.RequestHandler {
	var turn atomic.Int64
	return func(c *fasthttp.RequestCtx) {
		answers := told.Answers[string(c.Path())]
		if len(answers) == 0 {
			c.SetStatusCode(fasthttp.StatusNotFound)
			return
		}
		n := turn.Add(1)
		if string(c.Path()) == bareCart {
			write := redis.B().Set().Key("meridian-bench:" + strconv.FormatInt(n, 10)).Value("1").ExSeconds(60).Build()
			if err := redis.Do(ctx, write).Error(); err != nil {
				c.SetStatusCode(fasthttp.StatusInternalServerError)
				c.SetBodyString(err.Error())
				return
			}
		}
		answer := answers[int(n)%len(answers)]
		for _, header := range answer.Headers {
			c.Response.Header.Set(header[0], header[1])
		}
		c.SetBody(answer.Body)
	}
}

// bareServer is the bare program's process, apart from the clients' as the shop's are.
type bareServer struct {
	address string
	process *exec.Cmd
	input   io.Closer
}

// startBare takes the shop's own answers and serves them from a process of its own.
func (w *world) startBare(ctx context.Context) (*bareServer, error) {
	told, err := w.baseline()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	// It ends when its input does, an interrupt or not.
	process := exec.CommandContext(context.WithoutCancel(ctx), self, "bare")
	process.Stderr = os.Stderr
	input, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start the bare server: %w", err)
	}
	server := &bareServer{process: process, input: input}
	if err := json.NewEncoder(input).Encode(told); err != nil {
		return nil, errors.Join(fmt.Errorf("tell the bare server what to serve: %w", err), server.stop())
	}
	address, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the bare server did not say where it listens: %w", err), server.stop())
	}
	server.address = strings.TrimSpace(address)
	return server, nil
}

func (s *bareServer) stop() error { return errors.Join(s.input.Close(), s.process.Wait()) }

// baseline asks the shop once for everything that the bare server shall send.
func (w *world) baseline() (baseline, error) {
	c := w.newClient(0, w.gateway)
	told := baseline{Answers: map[string][]reply{}}
	take := func(where string) error {
		answer, err := c.send(fasthttp.StatusOK)
		if err == nil {
			told.Answers[where] = append(told.Answers[where], replyOf(answer))
		}
		return err
	}
	c.prepare("GET", listPath)
	if err := take(bareList); err != nil {
		return told, err
	}
	for _, slug := range w.stock.slugs {
		c.prepare("GET", productPath+slug)
		if err := take(bareProduct); err != nil {
			return told, err
		}
	}
	if err := w.post(c, cartPath, map[string]any{"sku": w.stock.skus[0], "quantity": 1}); err != nil {
		return told, err
	}
	if err := take(bareCart); err != nil {
		return told, err
	}
	var err error
	told.RedisAddress, told.RedisPassword, err = launcher.RedisOf(w.shop.Home, w.region)
	return told, err
}

func replyOf(answer *fasthttp.Response) reply {
	kept := reply{Body: append([]byte(nil), answer.Body()...)}
	for name, value := range answer.Header.All() {
		switch string(name) {
		case fasthttp.HeaderContentLength, fasthttp.HeaderDate, fasthttp.HeaderConnection, fasthttp.HeaderServer:
		default:
			kept.Headers = append(kept.Headers, [2]string{string(name), string(value)})
		}
	}
	return kept
}
