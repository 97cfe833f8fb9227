//go:build !production

package command

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/detect"
	"github.com/meridian-store/meridian/feed/publish"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/launcher"
)

// importToken is how long an import may take before its token ends.
const importToken = 12 * time.Hour

type imports struct {
	File      string `arg:"" help:"Shopify product CSV export, or Google Merchant product feed (TSV or XML)." type:"existingfile"`
	Format    string `help:"auto, shopify or google." default:"auto" enum:"auto,shopify,google"`
	Currency  string `help:"ISO 4217 code of prices for which the file names none." default:"USD"`
	Warehouse string `help:"Code of the warehouse that has the stock; the first region's first when absent."`
	Check     bool   `help:"Read and check the file, and change nothing."`
	Restart   bool   `help:"Begin with the first product even where an earlier import of this file was cut off."`
	InFlight  int    `help:"How many batches are under way at once." default:"3"`
	JSON      bool   `help:"Print the report as one JSON document."`
	NoEOL     bool   `name:"allow-missing-last-line-break" help:"Take a file whose last line has no line break; a file that was cut short looks the same."`
}

// Validate is kong's hook.
func (i *imports) Validate() error {
	if i.InFlight < 1 || i.InFlight > 64 {
		return fmt.Errorf("--in-flight %d is not between 1 and 64", i.InFlight)
	}
	return nil
}

// Run checks the whole file before it sends anything; the exit code is 1 when a product was refused.
func (i *imports) Run(e *env) error {
	run := importRun{imports: i, env: e, begun: time.Now()}
	file, err := os.Open(i.File)
	if err != nil {
		return fmt.Errorf("nothing was imported: %w", err)
	}
	defer file.Close()
	run.source, run.format, err = detect.Open(file, detect.Options{Format: i.Format, Options: feed.Options{Currency: i.Currency, AllowMissingLastLineBreak: i.NoEOL}})
	if err != nil {
		return fmt.Errorf("nothing was imported: %s: %w", i.File, err)
	}
	if !i.Check {
		if err := run.connect(); err != nil {
			return err
		}
	}
	if err := run.pump(); err != nil {
		return run.explain(err)
	}
	report := run.report()
	if err := report.print(e.out, i.JSON, i.Check); err != nil {
		return err
	}
	if report.Refused > 0 {
		return fmt.Errorf("%d refusals: see the report; what is not in it was imported", report.Refused)
	}
	return nil
}

// importRun is one import under way. publisher is nil when the file is only checked.
type importRun struct {
	*imports
	*env
	begun     time.Time
	format    string
	source    feed.Source
	publisher *publish.Publisher
	kept      *progressFile
	// skippedRows are those of the products that an earlier run brought in.
	skippedRows int64
}

// connect finds the running shop, names the import by the file's content, and looks how far an earlier run came.
func (r *importRun) connect() error {
	state, home, err := r.running()
	if err != nil {
		return err
	}
	warehouse, err := r.warehouse()
	if err != nil {
		return err
	}
	sum, err := digest(r.File)
	if err != nil {
		return err
	}
	token, err := launcher.Token(home, contract.RoleMerchandiser, importToken)
	if err != nil {
		return err
	}
	if r.kept, err = openProgress(home, sum, r.format, r.Currency, warehouse); err != nil {
		return err
	}
	r.publisher = &publish.Publisher{
		Shop:       publish.HTTP{URL: state.GatewayURL(0), Token: token, Client: httpclient.Default},
		Warehouses: []string{warehouse}, Reference: "import:" + sum, InFlight: r.InFlight, Advanced: r.kept.advanced,
	}
	if !r.Restart {
		r.publisher.From = r.kept.found
	}
	if done := r.publisher.From.Done; done > 0 {
		fmt.Fprintf(r.err, "An earlier import of this file was cut off: going on behind its first %d products\n", done)
	}
	return nil
}

// pump moves the products from the file to the shop.
func (r *importRun) pump() error {
	if r.publisher != nil {
		r.publisher.Start(r.ctx)
		defer r.publisher.Stop()
		if err := r.publisher.Categories(r.ctx, r.source.Categories()); err != nil {
			return err
		}
	}
	bar := r.progressBar(r.source.Size(), "Importing "+r.File)
	for read := int64(0); ; read++ {
		item, err := r.source.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if r.publisher != nil {
			if read < r.publisher.From.Done {
				r.skippedRows = r.source.Report().Rows
			}
			if err := r.publisher.Add(item); err != nil {
				return err
			}
		}
		if err := bar.Set64(r.source.BytesRead()); err != nil {
			return fmt.Errorf("show the progress: %w", err)
		}
	}
	if r.publisher != nil {
		if err := r.publisher.Flush(); err != nil {
			return err
		}
		if err := r.kept.remove(); err != nil {
			return err
		}
	}
	return bar.Finish()
}

// explain keeps what was reached by a run that fails, and says how to go on.
func (r *importRun) explain(err error) error {
	if r.publisher == nil {
		return err
	}
	if r.ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	reached := r.publisher.Progress()
	if saving := r.kept.save(reached); saving != nil {
		return errors.Join(err, saving)
	}
	return fmt.Errorf("%w; %d products were done: the same command goes on from there", err, reached.Done)
}

func (r *importRun) warehouse() (string, error) {
	all, err := r.allRegions()
	if err != nil {
		return "", err
	}
	var codes []string
	for _, region := range all {
		for _, warehouse := range region.Warehouses {
			codes = append(codes, warehouse.Code)
		}
	}
	if r.Warehouse == "" {
		return codes[0], nil
	}
	if !slices.Contains(codes, r.Warehouse) {
		return "", fmt.Errorf("there is no warehouse %q; there are %s", r.Warehouse, strings.Join(codes, ", "))
	}
	return r.Warehouse, nil
}

func digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil))[:32], nil
}
