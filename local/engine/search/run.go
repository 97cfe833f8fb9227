package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/process"
)

// Config says where an engine listens and keeps its data.
type Config struct {
	// Address is host:port.
	Address string
	DataDir string
	// AdminKey may do everything.
	AdminKey string
	Logger   *slog.Logger
	// Started, when set, is called once clients can connect.
	Started func()
}

const (
	headerTimeout = 10 * time.Second
	stopTimeout   = 10 * time.Second
)

// Run serves until the context ends. What it has answered is on disk.
func Run(ctx context.Context, config Config) (err error) {
	engine, err := Open(config.DataDir, config.AdminKey)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", config.Address)
	if err != nil {
		return fmt.Errorf("listen for searches: %w", err)
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	server := &http.Server{Handler: engine.Handler(config.Logger), ReadHeaderTimeout: headerTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if config.Started != nil {
		config.Started()
	}
	select {
	case err := <-served:
		return fmt.Errorf("serve searches: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return server.Shutdown(stopping)
}

// Process says how to run an engine as a child process. All but LogFile and DieWithParent are required.
type Process struct {
	// Name is the process's name, such as "us-east/search-engine".
	Name string
	// Meridian is the path of the meridian program, which has the command "engine search".
	Meridian string
	Address  string
	DataDir  string
	AdminKey string
	LogFile  string
	// DieWithParent is that of [process.Spec].
	DieWithParent bool
}

// Spec returns what to run: meridian engine search --address … --data …. The key goes by the environment.
func (p Process) Spec() process.Spec {
	return process.Spec{
		Name: p.Name, Path: p.Meridian, Args: []string{"engine", "search", "--address", p.Address, "--data", p.DataDir},
		Env: []string{"MERIDIAN_TYPESENSE_KEY=" + p.AdminKey}, LogFile: p.LogFile, StopTimeout: 2 * stopTimeout, DieWithParent: p.DieWithParent,
		Ready: func(ctx context.Context) error { return Ready(ctx, "http://"+p.Address) },
	}
}

// Ready returns nil when the engine at a URL answers.
func Ready(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/health", nil)
	if err != nil {
		return err
	}
	response, err := httpclient.Default.Do(request)
	if err != nil {
		return fmt.Errorf("ask the search engine: %w", err)
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the search engine at %s answers %d", url, response.StatusCode)
	}
	return nil
}
