package google

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

const (
	// maxScattered bounds how many groups may have items that lie apart, maxCategories how many categories a feed may name.
	maxScattered  = 10_000
	maxCategories = 10_000
)

// Survey is what the first pass learns of a whole feed.
type Survey struct {
	// Rows counts the items, Products the groups and the items without one, Bytes the file's size.
	Rows     int64
	Products int64
	Bytes    int64

	categories []contract.CategoryInput
	known      map[string]struct{}
	// last gives, for each group whose items lie apart, the number of its last item.
	last map[string]int
}

// Categories gives the categories that the products name, parents first.
func (s *Survey) Categories() []contract.CategoryInput { return s.categories }

// fingerprint stands for a text in a set that must stay small.
type fingerprint [16]byte

func hash(text string) fingerprint {
	sum := sha256.Sum256([]byte(text))
	return fingerprint(sum[:16])
}

// check goes through a whole feed.
func check(all records) (*Survey, error) {
	survey := &Survey{last: map[string]int{}, known: map[string]struct{}{}}
	groups := map[fingerprint]struct{}{}
	previous := ""
	for {
		r, err := all.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		survey.Rows++
		if err := survey.addCategories(&r); err != nil {
			return nil, err
		}
		group := r.first("item_group_id")
		if group == "" {
			previous = ""
			if r.first("id") != "" {
				survey.Products++
			}
			continue
		}
		if group != previous {
			if _, met := groups[hash(group)]; met {
				survey.last[group] = r.number
			} else {
				survey.Products++
			}
			groups[hash(group)] = struct{}{}
			previous = group
		} else if _, scattered := survey.last[group]; scattered {
			survey.last[group] = r.number
		}
		if len(survey.last) > maxScattered {
			return nil, &feed.FileError{Line: r.line, Problem: fmt.Sprintf("more than %d groups have items that lie apart", maxScattered),
				Remedy: "sort the items by item_group_id"}
		}
	}
	survey.Bytes = all.bytesRead()
	if survey.Products == 0 {
		return nil, &feed.FileError{Cause: feed.ErrNoProduct, Problem: "holds no product", Remedy: resend}
	}
	return survey, nil
}

func (s *Survey) addCategories(r *record) error {
	path, ok := categories(categoryPath(r))
	if !ok {
		return nil // the reader refuses the product
	}
	for _, category := range path {
		if _, met := s.known[category.Slug]; met {
			continue
		}
		s.known[category.Slug] = struct{}{}
		s.categories = append(s.categories, category)
	}
	if len(s.categories) > maxCategories {
		return &feed.FileError{Line: r.line, Problem: fmt.Sprintf("names more than %d categories", maxCategories), Remedy: "look at product_type"}
	}
	return nil
}
