package breakpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// Drill is the side that holds sagas. Crossings that it was not asked to hold go on at once.
type Drill struct {
	listener net.Listener
	serving  sync.WaitGroup

	mu    sync.Mutex
	waits map[place]chan *Held
	conns map[net.Conn]bool
	ended bool
}

// place is where a cart's saga is to be held.
type place struct{ cartID, boundary string }

// Held is a saga that waits at a boundary.
type Held struct {
	Crossing
	conn net.Conn
}

// GoOn lets the saga go on. That its process has died meanwhile is what drills are for, and no error.
func (h *Held) GoOn() {
	_, _ = h.conn.Write([]byte{'\n'})
	_ = h.conn.Close()
}

// Listen opens a drill on a socket; its path has to be shorter than 100 bytes, as the kernel asks.
func Listen(socket string) (*Drill, error) {
	listener, err := net.Listen("unix", socket) //nolint:noctx // it binds at once
	if err != nil {
		return nil, fmt.Errorf("open the drill's socket: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("keep the drill's socket to its owner: %w", err), listener.Close())
	}
	d := &Drill{listener: listener, waits: map[place]chan *Held{}, conns: map[net.Conn]bool{}}
	d.serving.Go(d.serve)
	return d, nil
}

// Hold has the next saga of a cart that reaches a boundary wait there, once; the channel gives it.
func (d *Drill) Hold(cartID, boundary string) <-chan *Held {
	held := make(chan *Held, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waits[place{cartID, boundary}] = held
	return held
}

// Close lets everything that is held go on, and listens no more; closing twice is fine.
func (d *Drill) Close() error {
	d.mu.Lock()
	if d.ended {
		d.mu.Unlock()
		return nil
	}
	d.ended = true
	err := d.listener.Close()
	for conn := range d.conns {
		_ = conn.Close()
	}
	d.mu.Unlock()
	d.serving.Wait()
	return err
}

func (d *Drill) serve() {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		if d.keep(conn) {
			d.serving.Go(func() { d.take(conn) })
		}
	}
}

func (d *Drill) keep(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		_ = conn.Close()
		return false
	}
	d.conns[conn] = true
	return true
}

// take hands a crossing to whoever asked for it, and stays until its process goes on or has ended.
func (d *Drill) take(conn net.Conn) {
	defer func() {
		_ = conn.Close()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.conns, conn)
	}()
	held := &Held{conn: conn}
	if err := json.NewDecoder(conn).Decode(&held.Crossing); err != nil {
		return // it died before it could say where
	}
	d.mu.Lock()
	at := place{held.CartID, held.Boundary}
	wanted, asked := d.waits[at]
	delete(d.waits, at)
	d.mu.Unlock()
	if !asked {
		return
	}
	wanted <- held
	// The process writes nothing more: this ends with it, or with GoOn.
	_, _ = io.Copy(io.Discard, conn)
}
