package nearness

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestEverythingArrivesInOrderAndOneRoundTripLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		edge, home := net.Pipe()
		d := newDistant(home, LastMile)
		begun := time.Now()
		go func() {
			for _, part := range []string{"he", "ll", "o"} {
				if _, err := io.WriteString(edge, part); err != nil {
					t.Error(err)
				}
			}
			edge.Close()
		}()
		got, err := io.ReadAll(d)
		if err != nil || string(got) != "hello" {
			t.Errorf("read %q, %v", got, err)
		}
		if took := time.Since(begun); took != LastMile {
			t.Errorf("three parcels under way at once took %s, want %s", took, LastMile)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}
