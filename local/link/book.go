package link

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Entry is one link of a running copy: where it is, what distance explains, and how it is made to behave.
type Entry struct {
	Link
	// ModelMS is the round trip in milliseconds by Model.
	ModelMS int64 `json:"model_ms"`
	// Usual is what the link returns to when it is healed.
	Usual Condition `json:"usual"`
	// Now is what an operator made of it.
	Now Condition `json:"now"`
}

// Disturbed says whether an operator has cut or delayed the link.
func (e Entry) Disturbed() bool { return e.Now != e.Usual }

// Book holds every link of a running copy and its condition. It outlives the proxies' process, which reads it at each start.
type Book struct {
	Entries []Entry `json:"links"`
}

// ReadBook reads a book's file; where there is none the book is empty.
func ReadBook(path string) (Book, error) {
	var book Book
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return book, nil
	}
	if err != nil {
		return book, fmt.Errorf("read the links: %w", err)
	}
	if err := json.Unmarshal(data, &book); err != nil {
		return book, fmt.Errorf("read the links in %s: %w", path, err)
	}
	return book, nil
}

// ErrNoLink says that a pair of regions has no link.
var ErrNoLink = errors.New("there is no such link")

// Change edits the condition of every link from one region to another, and of the way back when both is true. It gives the entries
// that were edited.
func (b *Book) Change(from, to string, both bool, edit func(*Entry)) ([]Entry, error) {
	var changed []Entry
	for i := range b.Entries {
		entry := &b.Entries[i]
		if (entry.From == from && entry.To == to) || (both && entry.From == to && entry.To == from) {
			edit(entry)
			if err := entry.Now.Validate(); err != nil {
				return nil, err
			}
			changed = append(changed, *entry)
		}
	}
	if len(changed) == 0 {
		return nil, fmt.Errorf("%w: from %q to %q; there are %s", ErrNoLink, from, to, b.names())
	}
	return changed, nil
}

// Condition gives what the book says of a link; one that it does not know is neither delayed nor cut.
func (b *Book) Condition(name string) Condition {
	for _, entry := range b.Entries {
		if entry.Name() == name {
			return entry.Now
		}
	}
	return Condition{}
}

func (b *Book) names() string {
	names := make([]string, 0, len(b.Entries))
	for _, entry := range b.Entries {
		names = append(names, entry.Name())
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
