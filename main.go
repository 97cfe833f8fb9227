// The meridian command: one binary runs any part of the shop.
package main

import (
	"os"

	"github.com/meridian-store/meridian/command"
)

func main() { os.Exit(command.Main(os.Args[1:], os.Stdout, os.Stderr)) }
