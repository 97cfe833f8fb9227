// Package breakpoint lets a drill hold sagas at the boundaries of their steps, in processes that it may then kill or stop.
//
// A process with a breakpoint socket reports every boundary that a saga reaches there, and goes on when it is told to, or when
// nobody listens any more: a drill that has ended holds nobody. One connection carries one crossing.
package breakpoint

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
)

// Crossing is a saga at a boundary, as the process that drives it tells.
type Crossing struct {
	// Boundary is a step and a side of it, such as "charge.before".
	Boundary string `json:"boundary"`
	SagaID   string `json:"saga_id"`
	OrderID  string `json:"order_id"`
	CartID   string `json:"cart_id"`
	// Epoch is 1 for the holder who opened the saga, and rises with each that takes it over.
	Epoch int64 `json:"epoch"`
	// Region is that of the process, and PID the process itself.
	Region string `json:"region"`
	PID    int    `json:"pid"`
}

// Wait tells the drill that listens on a socket of a crossing and returns when it says to go on, when it has gone, or when the
// context ends. The error says that nobody was asked; the saga goes on all the same.
func Wait(ctx context.Context, socket string, crossing Crossing) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("reach the drill: %w", err)
	}
	// Closing is what wakes the read below.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close() // what was read is all there was to it
		}
	}()
	if err := json.NewEncoder(conn).Encode(crossing); err != nil {
		return fmt.Errorf("tell the drill of %s: %w", crossing.Boundary, err)
	}
	// One byte, or the end: both mean to go on.
	_, _ = bufio.NewReader(conn).ReadByte()
	return nil
}
