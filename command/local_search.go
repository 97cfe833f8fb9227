//go:build !production

package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/meridian-store/meridian/contract"
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

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

func (t *searchTarget) post(e *env, path string) (compared, error) {
	state, home, err := e.running()
	if err != nil {
		return compared{}, err
	}
	url, secret, err := launcher.Internal(home, state, t.Region, contract.ServiceSearch)
	if err != nil {
		return compared{}, err
	}
	request, err := http.NewRequestWithContext(e.ctx, http.MethodPost, url+path, nil)
	if err != nil {
		return compared{}, err
	}
	request.Header.Set(contract.HeaderInternal, secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return compared{}, fmt.Errorf("ask the search service of %s: %w", t.Region, err)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return compared{}, err
	}
	if response.StatusCode != http.StatusOK {
		return compared{}, fmt.Errorf("the search service of %s answers %d: %.300s", t.Region, response.StatusCode, text)
	}
	told := compared{Region: t.Region}
	return told, json.Unmarshal(text, &told)
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
