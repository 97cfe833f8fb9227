// Package geo answers who is nearest: points and distances, the regions a shop runs in,
// the order in which to try them, the edge's locations, and ids that carry their home region.
//
// It holds no state, does no I/O besides reading random bytes, and imports only the
// standard library, so that everything else may stand on it.
package geo
