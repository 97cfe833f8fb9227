//go:build !production

package command

import (
	"github.com/meridian-store/meridian/local/link"
)

type linksEngine struct {
	API  string   `required:"" help:"host:port of toxiproxy's HTTP API."`
	Link []string `required:"" help:"A link as <from>=<to>=<plane>=<listen>=<upstream>; repeat for each."`
	Book string   `help:"File with the links' delays and cuts, read at the start; none when absent." type:"path"`
}

// Run serves until it is interrupted.
func (l *linksEngine) Run(e *env) error {
	links := make([]link.Link, 0, len(l.Link))
	for _, text := range l.Link {
		parsed, err := link.Parse(text)
		if err != nil {
			return err
		}
		links = append(links, parsed)
	}
	var book link.Book
	if l.Book != "" {
		var err error
		if book, err = link.ReadBook(l.Book); err != nil {
			return err
		}
	}
	return link.Run(e.ctx, link.Config{API: l.API, Links: links, Condition: book.Condition, Log: e.logger("links")})
}
