// Package detect finds out by its first bytes what kind of product feed a file is, and opens it as that.
package detect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/google"
	"github.com/meridian-store/meridian/feed/shopify"
)

// The kinds of feed. Auto is whichever the content looks like.
const (
	Auto    = "auto"
	Shopify = "shopify"
	Google  = "google"
)

// Formats lists what Options.Format may be.
func Formats() []string { return []string{Auto, Shopify, Google} }

// Options say how to read a file.
type Options struct {
	// Format is one of Formats; "" is Auto.
	Format string
	feed.Options
}

// Open checks the whole file and gives a reader of its products and the format that it has. The error is a *feed.FileError when the
// file is no whole feed of the format, and a *contract.Error when the options are not good.
func Open(input io.ReadSeeker, options Options) (feed.Source, string, error) {
	format := options.Format
	switch {
	case format == "" || format == Auto:
		var err error
		if format, err = sniff(input); err != nil {
			return nil, "", err
		}
	case !slices.Contains(Formats(), format):
		return nil, "", contract.Invalid("format", "%q is not one of %s", format, strings.Join(Formats(), ", "))
	}
	source, err := open(input, format, options)
	if err != nil {
		return nil, "", err
	}
	return source, format, nil
}

func open(input io.ReadSeeker, format string, options Options) (feed.Source, error) {
	if format == Google {
		return google.Open(input, options.Options)
	}
	return shopify.Open(input, options.Options)
}

// sniffed is how much of a file is looked at: the header line of a feed with all of Google's columns fits well.
const sniffed = 64 << 10

// sniff says Google for what Google's reader knows as its own, and Shopify, whose reader explains best what a file is not, for the rest.
func sniff(input io.ReadSeeker) (string, error) {
	if _, err := input.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("go to the file's start: %w", err)
	}
	first, err := io.ReadAll(io.LimitReader(input, sniffed))
	if errors.Is(err, syscall.EISDIR) {
		return "", &feed.FileError{Cause: feed.ErrDirectory, Problem: "is a directory", Remedy: "name the file in it"}
	}
	if err != nil {
		return "", fmt.Errorf("read the file's start: %w", err)
	}
	if google.Looks(bytes.TrimPrefix(first, []byte("\xef\xbb\xbf"))) {
		return Google, nil
	}
	return Shopify, nil
}
