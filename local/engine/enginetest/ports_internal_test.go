package enginetest

import (
	"net"
	"testing"
)

func TestPortsInUse(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close() //nolint:errcheck // nothing was sent
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close() //nolint:errcheck // nothing was sent
	used, err := portsInUse()
	if err != nil {
		t.Fatal(err)
	}
	tcpAddress, _ := tcp.Addr().(*net.TCPAddr)
	udpAddress, _ := udp.LocalAddr().(*net.UDPAddr)
	if !used[tcpAddress.Port] || !used[udpAddress.Port] {
		t.Errorf("%v lacks the ports of %v or %v", used, tcpAddress, udpAddress)
	}
}

func FuzzLocalPort(f *testing.F) {
	f.Add("   0: 0100007F:5126 00000000:0000 0A 00000000:00000000 00:00000000 00000000")
	f.Add("  sl  local_address rem_address   st")
	f.Fuzz(func(t *testing.T, line string) {
		if port, ok := localPort(line); ok && (port < 0 || port > 65535) {
			t.Errorf("%q: port %d", line, port)
		}
	})
}
