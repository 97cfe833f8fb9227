package emulator

import (
	"bytes"
	"runtime"
	"sync"
	"weak"

	"github.com/cespare/xxhash/v2"
)

// content is the body of an answer with its compressed forms. Many locations keep the same answer: they share it.
type content struct {
	body []byte
	variants
}

// contents finds the content of a body that some entry still holds. It holds none itself.
type contents struct {
	known sync.Map // of the body's hash: weak.Pointer[content]
}

// of gives the content of a body: one that is there, or a new one, which takes the body over.
func (c *contents) of(body []byte) *content {
	hash := xxhash.Sum64(body)
	if held, found := c.known.Load(hash); found {
		if shared := held.(weak.Pointer[content]).Value(); shared != nil && bytes.Equal(shared.body, body) {
			return shared
		}
	}
	made := &content{body: body}
	pointer := weak.Make(made)
	c.known.Store(hash, pointer)
	// Nobody holds it any more, and nobody has put another in its place.
	runtime.AddCleanup(made, func(hash uint64) { c.known.CompareAndDelete(hash, pointer) }, hash)
	return made
}
