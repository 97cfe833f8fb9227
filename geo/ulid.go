package geo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ULID is a 128-bit identifier: 48 bits of milliseconds since 1970, then 80 random bits, both
// big-endian, so that bytes and text sort by time (https://github.com/ulid/spec).
type ULID [16]byte

const (
	ulidLength = 26
	// crockford is Douglas Crockford's base 32: no I, L, O or U.
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	maxMillis = 1<<48 - 1
)

// errULID does not repeat the text, because it may be anything an outsider sent.
var errULID = errors.New("not a ULID of 26 upper-case Crockford base 32 characters")

func newULID(at time.Time, random [10]byte) (ULID, error) {
	millis := at.UnixMilli()
	if millis < 0 || millis > maxMillis {
		return ULID{}, fmt.Errorf("time %s does not fit in the 48 bits of a ULID", at.UTC().Format(time.RFC3339))
	}
	var u ULID
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(millis))
	copy(u[:6], stamp[2:])
	copy(u[6:], random[:])
	return u, nil
}

// parseULID accepts only the form that String writes, so that one id has one spelling.
func parseULID(text string) (ULID, error) {
	// 26 characters hold 130 bits: a first character above 7 would overflow 128.
	if len(text) != ulidLength || text[0] > '7' {
		return ULID{}, errULID
	}
	var high, low uint64
	for i := range ulidLength {
		digit := crockfordDigit(text[i])
		if digit < 0 {
			return ULID{}, errULID
		}
		high = high<<5 | low>>59
		low = low<<5 | uint64(digit)
	}
	var u ULID
	binary.BigEndian.PutUint64(u[:8], high)
	binary.BigEndian.PutUint64(u[8:], low)
	return u, nil
}

func crockfordDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'H':
		return int(c-'A') + 10
	case c == 'J' || c == 'K':
		return int(c-'J') + 18
	case c == 'M' || c == 'N':
		return int(c-'M') + 20
	case c >= 'P' && c <= 'T':
		return int(c-'P') + 22
	case c >= 'V' && c <= 'Z':
		return int(c-'V') + 27
	default:
		return -1
	}
}

// String is the canonical text: 26 upper-case characters.
func (u ULID) String() string {
	high, low := binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:])
	var text [ulidLength]byte
	for i := ulidLength - 1; i >= 0; i-- {
		text[i] = crockford[low&31]
		low = low>>5 | high<<59
		high >>= 5
	}
	return string(text[:])
}

// Time is when the ULID was made, to the millisecond, in UTC.
func (u ULID) Time() time.Time {
	var stamp [8]byte
	copy(stamp[2:], u[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(stamp[:]))).UTC()
}
