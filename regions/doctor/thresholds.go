package doctor

import "time"

// What counts as wrong. A figure below these is a fact, not a finding.
const (
	// manyRestarts: a process that was killed comes back once; one that came back four times has a fault of its own.
	manyRestarts = 3

	// longLag in records: consumers apply hundreds a second, so that a thousand behind is seconds late, and growing or stopped.
	longLag = 1000

	// oldEvent: the relay sends within milliseconds and a change must be in search and at the edge within 2 s.
	oldEvent = 10 * time.Second

	// longMirrorLag: a mirror copies within a second of what the distance explains, and looks every 5 s whether it has everything.
	longMirrorLag = 10 * time.Second

	// manyConnections, of those that the SQL server allows: beyond, a restart of all services at once may be refused some.
	manyConnections = 0.8
	// longWait: statements take milliseconds; who waits a second for a row waits for someone who has stopped.
	longWait = time.Second
	// longTransaction: ours are bounded by requests' deadlines, at most 25 s.
	longTransaction = 30 * time.Second

	// fullRedis, of its maxmemory: a full Redis refuses carts.
	fullRedis = 0.8

	// slowLink: a round trip may take twice what the distance explains, and 50 ms for a busy machine.
	slowLinkFactor = 2
	slowLinkSlack  = 50 * time.Millisecond

	// littleDisk in bytes: PostgreSQL and the brokers end when a write fails, and one import of 500,000 rows takes about as much.
	littleDisk = 1 << 30
)
