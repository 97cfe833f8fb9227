//go:build !production

package command

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/local/launcher"
)

type searches struct {
	Check   searchCheck   `cmd:"" help:"Compare a region's search index with the catalog and mend what differs. Exit code 1 when something did."`
	Rebuild searchRebuild `cmd:"" help:"Build a region's search index anew, while the old one is searched."`
}

// searchTarget is the index of a region.
type searchTarget struct {
	Region string `help:"Whose index." default:"us-east"`
	JSON   bool   `help:"Print one JSON document."`
}

// compared is what the search service tells of a comparison.
type compared struct {
	Region    string `json:"region"`
	Products  int    `json:"products"`
	Differing int    `json:"differing"`
	Mended    int    `json:"mended"`
}

// indexTimeout bounds comparing or building an index. A large catalog takes minutes.
const indexTimeout = time.Hour

func (t *searchTarget) post(e *env, path string) (compared, error) {
	state, home, err := e.running()
	if err != nil {
		return compared{}, err
	}
	client, err := launcher.Internal(home, state, t.Region, contract.ServiceSearch)
	if err != nil {
		return compared{}, err
	}
	defer client.Close()
	told := compared{Region: t.Region}
	call := httpx.Call{
		Service: contract.ServiceSearch, Method: http.MethodPost, Path: path, Out: &told, Timeout: indexTimeout,
	}
	if err := client.Do(e.ctx, call); err != nil {
		return compared{}, fmt.Errorf("call the search service of %s: %w", t.Region, err)
	}
	return told, nil
}

func (t *searchTarget) print(out io.Writer, told compared) error {
	if t.JSON {
		return printJSON(out, told)
	}
	_, err := fmt.Fprintf(out, "%s: %d products, %d differed, %d of them mended\n", told.Region, told.Products, told.Differing, told.Mended)
	return err
}

type searchCheck struct {
	searchTarget `embed:""`
}

// Run compares.
func (c *searchCheck) Run(e *env) error {
	told, err := c.post(e, contract.PathSearchCheck)
	if err != nil {
		return err
	}
	if err := c.print(e.out, told); err != nil {
		return err
	}
	if told.Differing > 0 {
		return errors.New("the index differed from the catalog: see above")
	}
	return nil
}

type searchRebuild struct {
	searchTarget `embed:""`
}

// Run rebuilds and returns when searches go to the new index.
func (r *searchRebuild) Run(e *env) error {
	fmt.Fprintf(e.err, "Building the index of %s anew; the old one is searched meanwhile\n", r.Region)
	told, err := r.post(e, contract.PathSearchRebuild)
	if err != nil {
		return err
	}
	return r.print(e.out, told)
}
