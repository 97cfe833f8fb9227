//go:build production

package command

import (
	"errors"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/regions"
)

const description = "A storefront that runs as equal, independent regions. " +
	"This program runs their services, and works on the engines whose addresses it is given."

// unreachable is the remedy for an audit that can not look.
const unreachable = "check both addresses, and that this machine may connect to them"

// helpTexts are the parts of help texts that differ from those of the program for one machine.
func helpTexts() map[string]string {
	return map[string]string{
		"no_sql_address": "required", "no_zone": "required", "edges": "a zone at Cloudflare",
		"region_verbs": "Run a region in this process.",
	}
}

// No copy runs on a machine in production, and so there are no verbs for one.
type (
	localVerbs       struct{}
	localRegionVerbs struct{} //nolint:unused // embedded, and empty here
	localEnv         struct{} //nolint:unused // as above
)

// attach gives the verbs what stands for the running copy.
func (localVerbs) attach(e *env) { e.copy = noCopy{e} }

// noCopy is the runningCopy of a program for production.
type noCopy struct{ *env }

func (noCopy) sqlOwner() (adminURL string, passwords map[string]string, err error) {
	return "", nil, missing("--admin-url is missing: set it, or MERIDIAN_SQL_ADMIN_URL, " +
		"to the SQL cluster's address as its owner")
}

func (noCopy) auditURL([]regions.Region) (string, error) {
	return "", missing("--sql-url is missing: set it, or MERIDIAN_SQL_AUDIT_URL, " +
		"to the SQL cluster's address as meridian_audit")
}

// paymentSandbox reads the sandbox from the same variables as the payment service does.
func (c noCopy) paymentSandbox() (url, key string, err error) {
	url, key = c.lookup("MERIDIAN_PAYMENT_URL"), c.lookup("MERIDIAN_PAYMENT_KEY")
	if url == "" || key == "" {
		return "", "", missing("MERIDIAN_PAYMENT_PROVIDER is missing: set it to stripe, " +
			"and MERIDIAN_PAYMENT_KEY to the secret key " +
			"(a sandbox needs MERIDIAN_PAYMENT_URL and MERIDIAN_PAYMENT_KEY)")
	}
	return url, key, nil
}

func (noCopy) edge() (cloudflare.Access, cloudflare.Shop, error) {
	return cloudflare.Access{}, cloudflare.Shop{}, missing("--zone is missing: it is the id of the zone at Cloudflare")
}

func (noCopy) edgeHealth() map[string]string { return nil }

// missing returns the error of a verb that was given no address.
func missing(text string) error { return failure{exitUsage, errors.New(text)} }
