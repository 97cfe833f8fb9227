package doctor

// Problems that findings state, or the part of one that follows or precedes a name. Tests compare with these constants:
// Part, Evidence and Remedy alone do not tell such findings apart.
const (
	ProblemEnded        = "its process has ended and has not come back"
	ProblemNotReady     = "it does not answer as ready"
	ProblemRestarts     = "it keeps dying"
	ProblemLinkCut      = "it is cut: nothing passes"
	ProblemLinkSilent   = "nothing passes"
	ProblemLinkLeaks    = "it should be cut, yet something passes"
	ProblemLinkSlow     = "it is slow"
	ProblemTopicMissing = "is missing"
	ProblemNoConsumer   = "nobody applies the events that"
	ProblemGroupLate    = "applies events late"
	ProblemLockWait     = "waits for a lock"
	ProblemUnsentEvents = "its events are not sent"
	ProblemNotEvents    = "it has passed over records that are no events"
	ProblemMirrorLate   = "late"
	ProblemMissed       = "events were dropped by age before it copied them"
)
