//go:build !production

package command

import (
	"fmt"

	"github.com/meridian-store/meridian/kit/sqldb/statements"
)

// sources is the verb for those who work on Meridian.
type sources struct {
	Print  bool   `required:"" help:"Print every statement that the source sends, with its place."`
	Source string `help:"Folder of Meridian's source." default:"." type:"existingdir"`
}

// Run reads the source rather than the program: statements that no test and no shopper ever sent are there too.
func (s *sources) Run(e *env) error {
	found, err := statements.Find(s.Source)
	if err != nil {
		return fmt.Errorf("%w: run it where Meridian's source is, or name that folder with --source", err)
	}
	_, err = fmt.Fprint(e.out, found.Text())
	return err
}
