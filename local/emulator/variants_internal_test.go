package emulator

import (
	"strings"
	"testing"
)

func FuzzAcceptedEncoding(f *testing.F) {
	for _, header := range []string{"", "*", "br;q=0, *", "gzip, deflate, br, zstd", "identity;q=0", "x-gzip;q=0.001", "br;q=1.5", "br ; q = 0.5", ",,;q", "gzip;q=NaN", "*;q=0"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := acceptedEncoding(header)
		if got == identity {
			return
		}
		if got < 0 || got >= encodings {
			t.Fatalf("%q gives %d", header, got)
		}
		name, lower := contentCodings[got], strings.ToLower(header)
		if !strings.Contains(lower, name) && !strings.Contains(header, "*") {
			t.Errorf("%q gets %s, which it does not name", header, name)
		}
		// What is refused last, without another word on it, is never sent.
		if refused := acceptedEncoding(header + "," + name + ";q=0"); refused == got && !strings.Contains(lower, "x-gzip") {
			t.Errorf("%q gets %s although it refuses it", header, name)
		}
	})
}
