package nearness

import (
	"net"
	"slices"
	"time"
)

// distant is a connection to an edge location from a shopper's home: what arrives, arrives as much later as a round trip takes.
type distant struct {
	net.Conn
	delay   time.Duration
	arrived chan parcel
	// rest is what of a parcel has not been read yet.
	rest []byte
	err  error
}

type parcel struct {
	bytes []byte
	err   error
	due   time.Time
}

const (
	parcelSize = 32 << 10
	inFlight   = 64
)

func newDistant(conn net.Conn, delay time.Duration) *distant {
	d := &distant{Conn: conn, delay: delay, arrived: make(chan parcel, inFlight)}
	go d.receive()
	return d
}

// receive ends with the connection.
func (d *distant) receive() {
	defer close(d.arrived)
	buffer := make([]byte, parcelSize)
	for {
		n, err := d.Conn.Read(buffer)
		d.arrived <- parcel{slices.Clone(buffer[:n]), err, time.Now().Add(d.delay)}
		if err != nil {
			return
		}
	}
}

// Read gives what has arrived, once it would have at the shopper's home.
func (d *distant) Read(into []byte) (int, error) {
	for len(d.rest) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		p, open := <-d.arrived
		if !open {
			return 0, net.ErrClosed
		}
		time.Sleep(time.Until(p.due))
		d.rest, d.err = p.bytes, p.err
	}
	n := copy(into, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// Close ends the connection and lets whoever still receives go.
func (d *distant) Close() error {
	err := d.Conn.Close()
	for range d.arrived { //nolint:revive // emptied, so that the receiver does not wait for a reader
	}
	return err
}
