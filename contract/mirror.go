package contract

// PathMirrors is where a region's mirror tells its progress: GET gives {items} of MirrorProgress.
const PathMirrors = "/internal/v1/mirrors"

// MirrorProgress is how far the events of another region have been copied into this one's broker since the mirror was started.
type MirrorProgress struct {
	Source string `json:"source"`
	// Reached says that the other region's broker has answered.
	Reached bool `json:"reached"`
	// CaughtUp says that everything is here that the other region had committed at some moment since then.
	CaughtUp bool `json:"caught_up"`
}

// PathRejoined is where a service tells, with 204, that it has taken in what other regions did while its region was away; until then it
// answers CodeUnavailable.
const PathRejoined = "/internal/v1/rejoined"
