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

	"github.com/schollz/progressbar/v3"

	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/publish"
	"github.com/meridian-store/meridian/feed/shopify"
	"github.com/meridian-store/meridian/regions/local"
	"github.com/meridian-store/meridian/services/contract"
)

// importToken is how long an import may take before its token ends.
const importToken = 12 * time.Hour

type imports struct {
	File      string `arg:"" help:"Shopify product CSV export." type:"existingfile"`
	Currency  string `help:"ISO 4217 code of the file's prices." default:"USD"`
	Warehouse string `help:"Code of the warehouse that has the stock; the first region's first when absent."`
	Check     bool   `help:"Read and check the file, and change nothing."`
	JSON      bool   `help:"Print the report as one JSON document."`
	NoEOL     bool   `name:"allow-missing-last-line-break" help:"Take a file whose last line has no line break; a file that was cut short looks the same."`
}

// importReport is what the command prints: what the file held, and what the shop made of it.
type importReport struct {
	File     string          `json:"file"`
	Rows     int64           `json:"rows"`
	Products int64           `json:"products"`
	Variants int64           `json:"variants"`
	Prices   int64           `json:"prices"`
	Images   int64           `json:"images"`
	Shop     publish.Outcome `json:"shop"`
	Seconds  float64         `json:"seconds"`
	// Notes and Refusals are one line each and start with the line of the file.
	Notes    []string `json:"notes"`
	Refusals []string `json:"refusals"`
	Refused  int64    `json:"refused"`
}

// Run checks the whole file before it sends anything; the exit code is 1 when a product was refused.
func (i *imports) Run(e *env) error {
	begun := time.Now()
	report := importReport{File: i.File, Notes: []string{}, Refusals: []string{}}
	file, err := shopify.OpenFile(i.File, shopify.Options{Currency: i.Currency, AllowMissingLastLineBreak: i.NoEOL})
	if err != nil {
		return fmt.Errorf("nothing was imported: %w", err)
	}
	defer file.Close()
	if err := i.send(e, file, &report); err != nil {
		return err
	}
	read := file.Report()
	report.Rows, report.Products, report.Variants, report.Prices, report.Images = read.Rows, read.Products, read.Variants, read.Prices, read.Images
	for _, note := range read.Notes {
		report.Notes = append(report.Notes, note.String())
	}
	var refusals []string
	for _, refusal := range read.Refusals {
		refusals = append(refusals, refusal.String())
	}
	report.Refusals = append(refusals, report.Refusals...)
	report.Refused = read.Refused + report.Shop.Refused + report.Shop.StockDenied
	report.Seconds = time.Since(begun).Seconds()
	if err := i.print(e.out, report); err != nil {
		return err
	}
	if report.Refused > 0 {
		return fmt.Errorf("%d refusals: see the report; what is not in it was imported", report.Refused)
	}
	return nil
}

func (i *imports) send(e *env, file *shopify.File, report *importReport) error {
	publisher := &publish.Publisher{Refused: func(r feed.Refusal) {
		if len(report.Refusals) < feed.KeptFindings {
			report.Refusals = append(report.Refusals, r.String())
		}
	}}
	if !i.Check {
		if err := i.connect(e, publisher); err != nil {
			return err
		}
		if err := publisher.Categories(e.ctx, file.Survey().Categories()); err != nil {
			return err
		}
	}
	bar := e.progress(file.Survey().Bytes, "Importing "+i.File)
	for {
		item, err := file.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if !i.Check {
			if err := publisher.Add(e.ctx, item); err != nil {
				return err
			}
		}
		if err := bar.Set64(file.BytesRead()); err != nil {
			return fmt.Errorf("show the progress: %w", err)
		}
	}
	if !i.Check {
		if err := publisher.Flush(e.ctx); err != nil {
			return err
		}
	}
	report.Shop = publisher.Outcome()
	return bar.Finish()
}

// connect finds the running shop, and names the import by the file's content.
func (i *imports) connect(e *env, publisher *publish.Publisher) error {
	state, home, err := e.running()
	if err != nil {
		return err
	}
	warehouse, err := i.warehouse(e)
	if err != nil {
		return err
	}
	sum, err := digest(i.File)
	if err != nil {
		return err
	}
	token, err := local.Token(home, contract.RoleMerchandiser, importToken)
	if err != nil {
		return err
	}
	publisher.URL, publisher.Token = state.GatewayURL(0), token
	publisher.Warehouses, publisher.Reference = []string{warehouse}, "import:"+sum
	return nil
}

func (i *imports) warehouse(e *env) (string, error) {
	all, err := e.allRegions()
	if err != nil {
		return "", err
	}
	var codes []string
	for _, region := range all {
		for _, warehouse := range region.Warehouses {
			codes = append(codes, warehouse.Code)
		}
	}
	if i.Warehouse == "" {
		return codes[0], nil
	}
	if !slices.Contains(codes, i.Warehouse) {
		return "", fmt.Errorf("there is no warehouse %q; there are %s", i.Warehouse, strings.Join(codes, ", "))
	}
	return i.Warehouse, nil
}

func (i *imports) print(out io.Writer, report importReport) error {
	if i.JSON {
		return printJSON(out, report)
	}
	fmt.Fprintf(out, "%s: %d rows, %d products, %d variants, %d prices, %d images in %.1f s\n", report.File, report.Rows, report.Products, report.Variants, report.Prices, report.Images, report.Seconds)
	if !i.Check {
		shop := report.Shop
		fmt.Fprintf(out, "shop: %d created, %d updated, %d unchanged, %d refused; stock: %d set, %d unchanged, %d refused\n",
			shop.Created, shop.Updated, shop.Unchanged, shop.Refused, shop.StockSet, shop.StockAsIs, shop.StockDenied)
	}
	for _, note := range report.Notes {
		fmt.Fprintln(out, "  note:", note)
	}
	for _, refusal := range report.Refusals {
		fmt.Fprintln(out, "  refused:", refusal)
	}
	return nil
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

// progress shows a bar on a terminal's standard error, and nothing where there is no terminal.
func (e *env) progress(total int64, title string) *progressbar.ProgressBar {
	terminal := false
	if file, ok := e.err.(*os.File); ok {
		info, err := file.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetDescription(title), progressbar.OptionSetWriter(e.err),
		progressbar.OptionSetVisibility(terminal), progressbar.OptionShowBytes(false), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
}
