package inventory

import "sync"

// hotAt is the number of requests a second of one process that meet others for the same SKU, from which its rows are worth
// splitting: so many would wait for the rows that other processes hold.
const hotAt = 40

// heat notices which SKUs are in such demand that their requests meet, and which are split.
type heat struct {
	mu    sync.Mutex
	met   map[string]int
	split map[string]bool
}

func newHeat() *heat { return &heat{met: map[string]int{}, split: map[string]bool{}} }

// add counts requests that met others for a SKU.
func (h *heat) add(sku string, requests int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.met[sku] += requests
}

// seen remembers which of some buckets belong to a split SKU.
func (h *heat) seen(buckets []bucket) {
	for _, b := range buckets {
		if b.number > 0 {
			h.mu.Lock()
			h.split[b.sku] = true
			h.mu.Unlock()
		}
	}
}

// hot gives the SKUs that were hot since the last call, at most once a second.
func (h *heat) hot() (skus []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for sku, requests := range h.met {
		if requests >= hotAt {
			skus = append(skus, sku)
		}
	}
	h.met = map[string]int{}
	return skus
}

// known gives the SKUs that are split as far as this process has seen.
func (h *heat) known() (skus []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for sku := range h.split {
		skus = append(skus, sku)
	}
	return skus
}

func (h *heat) forget(sku string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.split, sku)
}
