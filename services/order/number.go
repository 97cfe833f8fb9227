package order

import "crypto/rand"

// crockford is Douglas Crockford's base 32: no I, L, O or U, so that a number survives being read out on the telephone.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newNumber makes an order number for people, such as M7K2-9QX4: 40 random bits, so that it tells nothing of how much is sold.
// The table refuses one that is taken, and the caller makes another.
func newNumber() string {
	var random [8]byte
	rand.Read(random[:]) // never fails: the process ends instead
	number := make([]byte, 0, len(random)+1)
	for i, b := range random {
		if i == len(random)/2 {
			number = append(number, '-')
		}
		number = append(number, crockford[b%32])
	}
	return string(number)
}
