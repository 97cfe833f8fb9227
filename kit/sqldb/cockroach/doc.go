// Package cockroach checks with CockroachDB's own parser that it understands what Meridian sends it. It is a module of its own, so that
// the shop does not depend on that parser; `make check-cockroach` runs it.
package cockroach
