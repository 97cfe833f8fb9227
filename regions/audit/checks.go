package audit

// Check is one thing that an audit looks for.
type Check struct {
	// Code names it in reports and in docs/runbook/audit.md, and never changes its meaning.
	code string
	// promise is the sentence that holds in a sound shop.
	promise string
}

// Code is the check's stable name.
func (c Check) Code() string { return c.code }

// Promise is the sentence that holds in a sound shop.
func (c Check) Promise() string { return c.promise }

// Checks lists every check, in the order of what they are about.
func Checks() []Check {
	var all []Check
	for _, r := range rules() {
		all = append(all, r.Check)
	}
	all = append(all, shelfChecks()...)
	for _, q := range queries() {
		all = append(all, q.Check)
	}
	return append(all, strandedCheck)
}
