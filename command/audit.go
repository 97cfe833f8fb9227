package command

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/audit"
	"github.com/meridian-store/meridian/regions/schema"
	"github.com/meridian-store/meridian/services/payment/provider"
	"github.com/meridian-store/meridian/services/payment/stripe"
)

type auditor struct {
	JSON   bool          `help:"Print one JSON document."`
	Settle time.Duration `help:"How long something has to stay amiss before it is a violation." default:"15s"`
	SQLURL string        `name:"sql-url" env:"MERIDIAN_SQL_AUDIT_URL" help:"Address of an SQL cluster as meridian_audit (better given by the environment); ${no_sql_address}."`
}

// Validate is kong's hook.
func (a *auditor) Validate() error {
	if a.Settle < 0 || a.Settle > time.Hour {
		return fmt.Errorf("--settle %s is not between 0 and 1h", a.Settle)
	}
	return nil
}

// Help is kong's hook: it explains every check.
func (a *auditor) Help() string {
	var text strings.Builder
	text.WriteString("It reads the databases of all services and the payment provider's books, changes nothing, and works while the shop sells. " +
		"The exit code is 0 when all is well, 1 when a promise is broken, 3 when it can not look. docs/runbook/audit.md says what to do about each code:\n\n")
	for _, check := range audit.Checks() {
		fmt.Fprintf(&text, "  %-28s %s\n", check.Code(), check.Promise())
	}
	return text.String()
}

// Run audits and prints what it found.
func (a *auditor) Run(e *env) error {
	all, err := e.allRegions()
	if err != nil {
		return err
	}
	config, where, err := a.config(e, all)
	if err != nil {
		return failure{exitNotThere, err}
	}
	defer closeAudited(config)
	bar := e.progressBar(-1, "reading")
	config.Progress = func(what string, number int) {
		bar.Describe(what)
		_ = bar.Set(number) // a bar that can not be shown is no reason to stop
	}
	report, err := audit.Run(e.ctx, config)
	_ = bar.Finish() // as above
	var blind *audit.CannotLook
	if errors.As(err, &blind) {
		return failure{exitNotThere, fmt.Errorf("nothing was judged: %w (SQL at %s, payment provider at %s): %s", err, where.sql, where.provider, remedy(err))}
	}
	if err != nil {
		return err
	}
	if a.JSON {
		err = printJSON(e.out, report)
	} else {
		err = printAudit(e.out, report)
	}
	if err == nil && !report.OK {
		err = fmt.Errorf("%d promises are broken: see above, and docs/runbook/audit.md", len(report.Violations)+report.Beyond)
	}
	return err
}

// remedy names what mends an audit that can not look.
func remedy(err error) string {
	if refusal, ok := sqldb.AsPgError(err); ok && slices.Contains([]string{"28P01", "28000", "42501", "42P01", "42703", "3D000"}, refusal.Code) {
		return "its role or a table is missing, so run `meridian migrate`"
	}
	return unreachable
}

// places are where an audit looks, for people.
type places struct{ sql, provider string }

func (a *auditor) config(e *env, all []regions.Region) (config audit.Config, where places, err error) {
	config.Settle = a.Settle
	for _, region := range all {
		config.Regions = append(config.Regions, region.Name)
	}
	address := a.SQLURL
	if address == "" {
		if address, err = e.copy.auditURL(all); err != nil {
			return config, where, err
		}
	}
	if config.Databases, where.sql, err = schema.OpenAudited(e.ctx, address); err != nil {
		return config, where, err
	}
	if config.Ledger, where.provider, err = paymentLedger(e); err != nil {
		closeAudited(config)
	}
	return config, where, err
}

// paymentLedger opens the books of the payment provider that the environment names, or else of the running copy's
// sandbox. where is the provider's address, to be shown.
func paymentLedger(e *env) (ledger provider.Ledger, where string, err error) {
	const sandbox = "sandbox"
	named := cmp.Or(e.lookup("MERIDIAN_PAYMENT_PROVIDER"), sandbox)
	config := stripe.Config{URL: e.lookup("MERIDIAN_PAYMENT_URL"), FineThousandths: named == sandbox}
	key := e.lookup("MERIDIAN_PAYMENT_KEY")
	switch {
	case named == sandbox:
		if config.URL, key, err = e.copy.paymentSandbox(); err != nil {
			return nil, "", err
		}
	case key == "":
		return nil, "", fmt.Errorf("MERIDIAN_PAYMENT_PROVIDER is %s and MERIDIAN_PAYMENT_KEY is not set: "+
			"set it to the provider's secret key", named)
	}
	if config.SecretKey, err = secret.Parse(key); err != nil {
		return nil, "", fmt.Errorf("MERIDIAN_PAYMENT_KEY: %w", err)
	}
	account, err := stripe.New(config)
	if err != nil {
		return nil, "", err
	}
	return account, cmp.Or(config.URL, "Stripe"), nil
}

func closeAudited(config audit.Config) {
	for _, db := range config.Databases {
		db.Close()
	}
}

// printAudit shows what was looked at and, below it, where a terminal stands at the end, what is broken.
func printAudit(out io.Writer, report audit.Report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "LOOKED AT\tNUMBER")
	for _, what := range slices.Sorted(maps.Keys(report.Checked)) {
		fmt.Fprintf(w, "%s\t%d\n", what, report.Checked[what])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, v := range report.Violations {
		fmt.Fprintf(out, "%s: %s\n    %s\n", v.Code, v.What, strings.Join(v.IDs, " "))
	}
	if report.Beyond > 0 {
		fmt.Fprintf(out, "… and %d more at the first look.\n", report.Beyond)
	}
	if report.OK {
		fmt.Fprintf(out, "Every promise is kept (%d ms).\n", report.TookMS)
	}
	return nil
}
