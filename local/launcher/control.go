package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"
)

const controlSocket = "control.sock"

// Membership is whether a region is one of those that a running copy keeps up.
type Membership struct {
	Name    string `json:"name"`
	Started bool   `json:"started"`
}

// controlProblem is the body of an answer that is no success.
type controlProblem struct {
	Error string `json:"error"`
}

// control lets other processes of the home's owner start and stop regions, over a socket in the home.
type control struct {
	server *http.Server
	remove func() error
	served chan error
}

// serveControl opens the home's control socket. ctx bounds what is asked of it, whoever asked: a caller that goes away half-way
// leaves a region that is started or is not.
func (l *launcher) serveControl(ctx context.Context) (*control, error) {
	listener, remove, err := l.Home.listen(controlSocket)
	if err != nil {
		return nil, err
	}
	c := &control{server: &http.Server{Handler: l.controlRoutes(ctx), ReadHeaderTimeout: time.Second}, remove: remove, served: make(chan error, 1)}
	go func() { c.served <- c.server.Serve(listener) }()
	return c, nil
}

func (l *launcher) controlRoutes(ctx context.Context) http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /regions", func(w http.ResponseWriter, _ *http.Request) {
		state := l.snapshot()
		all := make([]Membership, 0, len(state.Regions))
		for _, name := range state.Regions {
			all = append(all, Membership{Name: name, Started: state.isStarted(name)})
		}
		l.answer(w, all, nil)
	})
	one := func(act func(context.Context, string) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			name := r.PathValue("name")
			_, err := l.place(name)
			if err == nil {
				err = act(ctx, name)
			}
			l.answer(w, Membership{Name: name, Started: l.snapshot().isStarted(name)}, err)
		}
	}
	routes.HandleFunc("GET /regions/{name}", one(func(context.Context, string) error { return nil }))
	routes.HandleFunc("PUT /regions/{name}", one(l.startRegion))
	routes.HandleFunc("DELETE /regions/{name}", one(l.stopRegion))
	routes.HandleFunc("POST /regions/{name}/restart", one(l.restartRegion))
	routes.HandleFunc("DELETE /regions/{name}/processes", one(l.loseRegion))
	return routes
}

func (l *launcher) answer(w http.ResponseWriter, value any, err error) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case errors.Is(err, ErrNoSuchRegion):
		value = controlProblem{err.Error()}
		w.WriteHeader(http.StatusNotFound)
	case err != nil:
		value = controlProblem{err.Error()}
		w.WriteHeader(http.StatusInternalServerError)
	}
	if err := json.NewEncoder(w).Encode(value); err != nil {
		l.note("warning: an answer on the control socket was lost: %v", err)
	}
}

// stop refuses new requests, waits for those under way and removes the socket.
func (c *control) stop(ctx context.Context) error {
	err := c.server.Shutdown(ctx)
	if served := <-c.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err := errors.Join(err, c.remove()); err != nil {
		return fmt.Errorf("close the control socket: %w", err)
	}
	return nil
}

// listen opens a socket in the home that only its owner can reach, in the place of one that a killed process left.
func (h Home) listen(name string) (net.Listener, func() error, error) {
	fail := func(err error) (net.Listener, func() error, error) {
		return nil, nil, fmt.Errorf("open the socket %s: %w", h.Path(name), err)
	}
	// Until its mode is set it lies in a folder that nobody else can enter.
	private, err := os.MkdirTemp(h.dir, name+".*")
	if err != nil {
		return fail(err)
	}
	listener, err := listenShort(private)
	if err == nil {
		err = os.Rename(private+"/"+shortSocket, h.Path(name))
	}
	if err := errors.Join(err, os.RemoveAll(private)); err != nil {
		if listener != nil {
			err = errors.Join(err, listener.Close())
		}
		return fail(err)
	}
	return listener, func() error {
		if err := os.Remove(h.Path(name)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}, nil
}

const shortSocket = "s"

// listenShort listens on a socket in a folder, however long the folder's path is: the kernel takes 107 bytes.
func listenShort(folder string) (*net.UnixListener, error) {
	opened, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	path := fmt.Sprintf("/proc/self/fd/%d/%s", opened.Fd(), shortSocket)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // it is about to be moved
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}
