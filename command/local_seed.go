//go:build !production

package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed/publish"
	"github.com/meridian-store/meridian/feed/seed"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/launcher"
)

const defaultProducts = 2000

type seeder struct {
	Products int    `help:"How many products." default:"2000"`
	Seed     uint64 `help:"Another number makes another catalog; the same number always the same." default:"1"`
	JSON     bool   `help:"Print the result as one JSON document."`
	Format   string `help:"Write the catalog as a file of this format instead: shopify." enum:",shopify" default:""`
	Out      string `help:"The file to write with --format; standard output when absent." type:"path"`
}

// Run seeds the running copy, or writes a file that can be imported.
func (s *seeder) Run(e *env) error {
	if s.Format != "" {
		return s.export(e)
	}
	if s.Out != "" {
		return errors.New("--out is for a file: say of which format with --format shopify")
	}
	state, home, err := e.running()
	if err != nil {
		return err
	}
	begun := time.Now()
	outcome, err := s.fill(e.ctx, e, home, state)
	if err != nil {
		return err
	}
	if s.JSON {
		return printJSON(e.out, outcome)
	}
	_, err = fmt.Fprintf(e.out, "Seeded %d products in %.1f s: %d created, %d updated, %d unchanged; stock set for %d SKUs and warehouses.\n",
		s.Products, time.Since(begun).Seconds(), outcome.Created, outcome.Updated, outcome.Unchanged, outcome.StockSet)
	return err
}

func (s *seeder) fill(ctx context.Context, e *env, home launcher.Home, state launcher.State) (publish.Outcome, error) {
	token, err := launcher.Token(home, contract.RoleMerchandiser, importToken)
	if err != nil {
		return publish.Outcome{}, err
	}
	shop := publish.HTTP{URL: state.GatewayURL(0), Token: token, Client: httpclient.Default}
	publisher := &publish.Publisher{Shop: shop, Reference: fmt.Sprintf("seed:%d", s.Seed)}
	all, err := e.allRegions()
	if err != nil {
		return publish.Outcome{}, err
	}
	for _, region := range all {
		for _, warehouse := range region.Warehouses {
			publisher.Warehouses = append(publisher.Warehouses, warehouse.Code)
		}
	}
	config := seed.Config{Products: s.Products, Seed: s.Seed}
	categories, err := seed.Categories(config)
	if err != nil {
		return publish.Outcome{}, err
	}
	publisher.Start(ctx)
	defer publisher.Stop()
	if err := publisher.Categories(ctx, categories); err != nil {
		return publish.Outcome{}, err
	}
	items, err := seed.Generate(config)
	if err != nil {
		return publish.Outcome{}, err
	}
	bar := e.progressBar(int64(s.Products), "Seeding")
	for item := range items {
		if err := publisher.Add(item); err != nil {
			return publish.Outcome{}, err
		}
		if err := bar.Add(1); err != nil {
			return publish.Outcome{}, fmt.Errorf("show the progress: %w", err)
		}
	}
	if err := publisher.Flush(); err != nil {
		return publish.Outcome{}, err
	}
	return publisher.Progress().Outcome, bar.Finish()
}

// seedWhenEmpty fills a shop that has no product, as `make run` asks for.
func seedWhenEmpty(ctx context.Context, e *env, home launcher.Home, state launcher.State) error {
	empty, err := isEmpty(ctx, state.GatewayURL(0))
	if err != nil || !empty {
		return err
	}
	fmt.Fprintf(e.out, "The shop is empty: seeding %d products\n", defaultProducts)
	s := &seeder{Products: defaultProducts, Seed: 1}
	_, err = s.fill(ctx, e, home, state)
	return err
}

func isEmpty(ctx context.Context, gateway string) (bool, error) {
	var page struct {
		Items []contract.Summary `json:"items"`
	}
	if err := (httpclient.Request{URL: gateway + "/api/v1/products?limit=1"}).Decode(ctx, &page); err != nil {
		return false, fmt.Errorf("read the first product: %w", err)
	}
	return len(page.Items) == 0, nil
}
