package seed

import "math/rand/v2"

// chance draws the numbers of one product. It draws from the generator itself, whose sequence is fixed, and not through
// rand.Rand, whose methods may draw otherwise in another Go release.
type chance struct{ source *rand.PCG }

func newChance(seed, number uint64) chance { return chance{source: rand.NewPCG(seed, number)} }

// below gives a number from 0 up to n-1.
func (c chance) below(n int) int { return int(c.source.Uint64() % uint64(n)) }

// between gives a number from low up to high.
func (c chance) between(low, high int) int { return low + c.below(high-low+1) }

// percent is true in so many of a hundred cases.
func (c chance) percent(p int) bool { return c.below(100) < p }

func pick[T any](c chance, from []T) T { return from[c.below(len(from))] }

// some gives n different members in the order in which they stand.
func some[T any](c chance, from []T, n int) []T {
	n = min(n, len(from))
	chosen := make([]T, 0, n)
	for i, member := range from {
		if c.below(len(from)-i) < n-len(chosen) {
			chosen = append(chosen, member)
		}
	}
	return chosen
}
