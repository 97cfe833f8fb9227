package launcher

import (
	"fmt"
	"maps"

	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/audit"
)

// sqlPasswords gives the passwords that schema.Migrate sets.
func (s secrets) sqlPasswords() map[string]string {
	passwords := map[string]string{}
	maps.Copy(passwords, s.SQLRoles)
	if s.SQLAudit != "" { // a home from before there were audits gets one at its next start
		passwords[audit.Role] = s.SQLAudit
	}
	return passwords
}

// AuditURL returns the address of the SQL server of the copy that runs from a home, as the role that audits. It holds
// a password: never show it.
func AuditURL(home Home, all []regions.Region) (string, error) {
	for _, region := range all {
		if region.Engines.SQL != "" {
			return "", fmt.Errorf("the SQL cluster stands elsewhere; MERIDIAN_SQL_AUDIT_URL must give its address as %s", audit.Role)
		}
	}
	state, _, err := ReadState(home)
	if err != nil {
		return "", err
	}
	var s secrets
	if _, err := home.readJSON(secretsFile, &s); err != nil {
		return "", err
	}
	return sqlURL(address(Ports{Base: state.BasePort}.SQL()), audit.Role, s.SQLAudit, "", false), nil
}
