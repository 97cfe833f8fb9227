package emulator

import (
	"bytes"
	"mime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// encoding is how a body is compressed.
type encoding int

// The encodings, the preferred first; identity is none of them.
const (
	encodingBrotli encoding = iota
	encodingZstd
	encodingGzip
	encodings
	identity encoding = -1
)

// contentCodings are the encodings' names (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
var contentCodings = [encodings]string{"br", "zstd", "gzip"}

const (
	// smallestCompressed is the shortest body that compression makes shorter by more than it costs.
	smallestCompressed = 512
	// Levels at which an answer is compressed once and sent often.
	brotliLevel = 5
	gzipLevel   = 6
)

// variants are the compressed forms of one body, each made when it is first asked for.
type variants struct {
	mu     sync.Mutex
	made   [encodings]atomic.Pointer[[]byte]
	weight atomic.Int64
}

func (v *variants) bytes() int { return int(v.weight.Load()) }

// variant gives the body in an encoding, and whether it was made just now.
func (v *content) variant(in encoding) (compressed []byte, made bool) {
	if known := v.made[in].Load(); known != nil {
		return *known, false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if known := v.made[in].Load(); known != nil {
		return *known, false
	}
	compressed = compress(v.body, in)
	v.made[in].Store(&compressed)
	v.weight.Add(int64(cap(compressed)))
	return compressed, true
}

var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	// Its options are constants, and so is that they are right.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return encoder
})

// compress never fails: it writes to memory.
func compress(body []byte, in encoding) []byte {
	if in == encodingZstd {
		return zstdEncoder().EncodeAll(body, nil)
	}
	var out bytes.Buffer
	var writer interface {
		Write([]byte) (int, error)
		Close() error
	} = brotli.NewWriterLevel(&out, brotliLevel)
	if in == encodingGzip {
		leveled, err := gzip.NewWriterLevel(&out, gzipLevel)
		if err != nil {
			panic(err) // the level is a constant
		}
		writer = leveled
	}
	if _, err := writer.Write(body); err != nil {
		panic(err)
	}
	if err := writer.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// compressible says whether a body is worth compressing: text, and not too short.
func compressible(contentType string, body []byte) bool {
	if len(body) < smallestCompressed {
		return false
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || strings.HasSuffix(kind, "+json") ||
		kind == "application/javascript" || kind == "application/xml" || strings.HasSuffix(kind, "+xml")
}

// acceptedEncoding gives the encoding that a browser likes best by Accept-Encoding (RFC 9110 section 12.5.3), and of several that it
// likes alike the one that we prefer. Identity when it says nothing, or nothing that we have.
func acceptedEncoding(header string) encoding {
	if header == "" {
		return identity
	}
	weights := [encodings]float64{-1, -1, -1}
	others, plain := -1.0, -1.0
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		weight, ok := qualityOf(parameters)
		if !ok {
			continue
		}
		name = strings.TrimSpace(name)
		switch {
		case name == "*":
			others = weight
		case strings.EqualFold(name, "identity"):
			plain = weight
		default:
			for i, coding := range contentCodings {
				if strings.EqualFold(name, coding) || (coding == "gzip" && strings.EqualFold(name, "x-gzip")) {
					weights[i] = weight
				}
			}
		}
	}
	best, bestWeight := identity, max(plain, 0)
	for i := encodings - 1; i >= 0; i-- {
		weight := weights[i]
		if weight < 0 {
			weight = others
		}
		if weight > 0 && weight >= bestWeight {
			best, bestWeight = i, weight
		}
	}
	return best
}

// qualityOf reads ";q=0.5"; 1 when there is none.
func qualityOf(parameters string) (float64, bool) {
	parameters = strings.TrimSpace(parameters)
	if parameters == "" {
		return 1, true
	}
	name, value, found := strings.Cut(parameters, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 0, false
	}
	weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(weight >= 0 && weight <= 1) {
		return 0, false
	}
	return weight, true
}
