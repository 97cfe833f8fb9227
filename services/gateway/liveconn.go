package gateway

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// errStale says that a kept connection was closed by its other end while idle: nothing was sent on it.
var errStale = errors.New("the kept connection was closed by the service")

// liveConn looks before each new request whether the service has closed the connection meanwhile. Without the look the first
// requests after a service's restart would be sent into the void, and a POST so lost may not be repeated.
type liveConn struct {
	net.Conn
	raw syscall.RawConn
	// asked is true from the first byte of a request until the first byte of its answer.
	asked bool
	used  bool
}

func newLiveConn(conn net.Conn) (net.Conn, error) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("watch a connection: %w", err)
	}
	return &liveConn{Conn: conn, raw: raw}, nil
}

func (c *liveConn) Read(p []byte) (int, error) {
	c.asked = false
	return c.Conn.Read(p)
}

func (c *liveConn) Write(p []byte) (int, error) {
	if !c.asked && c.used && c.closed() {
		return 0, errStale
	}
	c.asked, c.used = true, true
	return c.Conn.Write(p)
}

// closed peeks without waiting. Nothing to read is what a live idle connection has; bytes nobody asked for are as bad as an end.
func (c *liveConn) closed() bool {
	closed := false
	err := c.raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
		return true
	})
	return closed || err != nil
}
