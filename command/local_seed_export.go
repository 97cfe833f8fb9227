//go:build !production

package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/meridian-store/meridian/feed/seed"
	"github.com/meridian-store/meridian/feed/shopify"
)

// export writes the catalog as a Shopify product CSV. It needs no running copy.
func (s *seeder) export(e *env) (err error) {
	if s.Out == "" {
		return s.write(e.out)
	}
	file, err := os.Create(s.Out)
	if err != nil {
		return fmt.Errorf("write the catalog: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return s.write(file)
}

func (s *seeder) write(out io.Writer) error {
	config := seed.Config{Products: s.Products, Seed: s.Seed}
	categories, err := seed.Categories(config)
	if err != nil {
		return err
	}
	items, err := seed.Generate(config)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, 1<<20)
	writer := shopify.NewWriter(buffered, shopify.WriterOptions{Categories: categories, Attributes: seed.AttributeKeys()})
	for item := range items {
		if err := writer.Write(item); err != nil {
			return err
		}
	}
	if err := writer.Close(); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write the catalog: %w", err)
	}
	return nil
}
