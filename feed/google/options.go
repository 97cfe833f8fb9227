package google

import "github.com/meridian-store/meridian/feed"

// Options say how to read a file.
type Options = feed.Options
