package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/gorilla/mux"
	"github.com/rs/zerolog"
)

// Config says which links to serve.
type Config struct {
	// API is the host:port of toxiproxy's HTTP API.
	API   string
	Links []Link
	// Condition gives what a link starts with, by name; nil means that none is delayed or cut.
	Condition func(name string) Condition
	Log       *slog.Logger
	// Started, when set, is called once every link and the API listen.
	Started func()
}

const (
	readTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	closeTimeout = 2 * time.Second
)

// Run serves the links until the context ends. A link that starts cut lets nothing through, not even at first: it takes its condition
// before anything can be sent over it.
func Run(ctx context.Context, config Config) (err error) {
	logger := zerolog.New(os.Stderr).Level(zerolog.ErrorLevel).With().Timestamp().Logger()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), logger)
	defer func() { err = errors.Join(err, server.Collection.Clear()) }()
	for _, link := range config.Links {
		if err := serveLink(server, link, config.condition(link)); err != nil {
			return err
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", config.API)
	if err != nil {
		return fmt.Errorf("listen for the links' API: %w", err)
	}
	api := &http.Server{Handler: routes(server), ReadTimeout: readTimeout, WriteTimeout: writeTimeout, ReadHeaderTimeout: readTimeout}
	served := make(chan error, 1)
	go func() { served <- api.Serve(listener) }()
	config.Log.InfoContext(ctx, "The links between the regions are up.", "links", len(config.Links), "api", config.API)
	if config.Started != nil {
		config.Started()
	}
	select {
	case err := <-served:
		return fmt.Errorf("serve the links' API: %w", err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	err = api.Shutdown(closing)
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

func (c Config) condition(link Link) Condition {
	if c.Condition == nil {
		return Condition{}
	}
	return c.Condition(link.Name())
}

func serveLink(server *toxiproxy.ApiServer, link Link, condition Condition) error {
	proxy := toxiproxy.NewProxy(server, link.Name(), link.Listen, link.Upstream)
	for _, toxic := range condition.toxics() {
		if _, err := proxy.Toxics.AddToxicJson(toxic.body()); err != nil {
			return fmt.Errorf("link %s: %s: %w", link.Name(), toxic.Name, err)
		}
	}
	if err := server.Collection.Add(proxy, true); err != nil {
		return fmt.Errorf("link %s: %w", link.Name(), err)
	}
	return nil
}

// routes are those of toxiproxy's API that something here uses. Its own server cannot be stopped and ends the process on an error.
func routes(server *toxiproxy.ApiServer) http.Handler {
	router := mux.NewRouter()
	router.Use(refuseBrowsers)
	router.HandleFunc("/version", server.Version).Methods(http.MethodGet)
	router.HandleFunc("/proxies", server.ProxyIndex).Methods(http.MethodGet)
	router.HandleFunc("/proxies", server.ProxyCreate).Methods(http.MethodPost)
	router.HandleFunc("/proxies/{proxy}", server.ProxyShow).Methods(http.MethodGet)
	router.HandleFunc("/proxies/{proxy}", server.ProxyDelete).Methods(http.MethodDelete)
	router.HandleFunc("/proxies/{proxy}/toxics", server.ToxicIndex).Methods(http.MethodGet)
	router.HandleFunc("/proxies/{proxy}/toxics", server.ToxicCreate).Methods(http.MethodPost)
	router.HandleFunc("/proxies/{proxy}/toxics/{toxic}", server.ToxicUpdate).Methods(http.MethodPost)
	router.HandleFunc("/proxies/{proxy}/toxics/{toxic}", server.ToxicDelete).Methods(http.MethodDelete)
	return router
}

// refuseBrowsers keeps a page that someone on this machine looks at from cutting links, as toxiproxy's own server does.
func refuseBrowsers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.UserAgent(), "Mozilla/") {
			http.Error(w, "browsers are not let in", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
