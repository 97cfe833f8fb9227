package shopify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

const (
	// maxScattered bounds how many products may have rows that lie apart.
	maxScattered = 10_000
	// maxCategories bounds how many categories a file may name.
	maxCategories = 10_000
)

// Survey is what the first pass learns of a whole file.
type Survey struct {
	// Rows counts the data rows that hold anything, Products the distinct handles, Bytes the file's size: a progress bar's totals.
	Rows     int64
	Products int64
	Bytes    int64

	categories []contract.CategoryInput
	// lastLine gives, for each handle whose rows lie apart, the line on which its last row starts.
	lastLine map[string]int
}

// Categories gives the categories that the file's products name, in the order of their first product. They are all at the
// top, for the file knows no tree.
func (s *Survey) Categories() []contract.CategoryInput { return s.categories }

// Check reads all of a file and says whether it is a whole Shopify product CSV: encoding, delimiter, header, quotes, columns
// of each row, at least one product. It returns a *feed.FileError when it is not, and leaves the input at its start.
func Check(input io.ReadSeeker, options Options) (*Survey, error) {
	if _, err := input.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("go to the file's start: %w", err)
	}
	rows, err := openRows(input, options)
	if err != nil {
		return nil, err
	}
	survey, err := rows.survey()
	if err != nil {
		return nil, err
	}
	if _, err := input.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("go back to the file's start: %w", err)
	}
	return survey, nil
}

func (r *rows) survey() (*Survey, error) {
	survey := &Survey{lastLine: map[string]int{}}
	handles, categories := map[fingerprint]struct{}{}, map[string]struct{}{}
	previous := ""
	for {
		row, line, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		survey.Rows++
		if err := survey.addCategory(r.header, row, line, categories); err != nil {
			return nil, err
		}
		handle := strings.Clone(r.value(row, handleColumn))
		if handle != "" && handle != previous {
			if _, known := handles[hash(handle)]; known {
				survey.lastLine[handle] = line
			}
			handles[hash(handle)] = struct{}{}
			previous = handle
		}
		// A row without a handle counts to the product before it, which it may spoil.
		if _, scattered := survey.lastLine[previous]; scattered {
			survey.lastLine[previous] = line
		}
		if len(survey.lastLine) > maxScattered {
			return nil, &feed.FileError{Line: line,
				Problem: fmt.Sprintf("more than %d products have rows that lie apart", maxScattered),
				Remedy:  "sort the rows by " + quoted(r.name[handleColumn])}
		}
	}
	survey.Products, survey.Bytes = int64(len(handles)), r.source.Bytes
	if survey.Products == 0 {
		return nil, &feed.FileError{Cause: feed.ErrNoProduct, Problem: "holds no product",
			Remedy: "export the products from Shopify again as CSV"}
	}
	return survey, nil
}

func (s *Survey) addCategory(header *header, row []string, line int, known map[string]struct{}) error {
	name := categoryName(header, row)
	if name == "" {
		return nil
	}
	category, ok := category(name)
	if !ok {
		return nil // the reader refuses the product
	}
	if _, ok := known[category.Slug]; ok {
		return nil
	}
	known[category.Slug] = struct{}{}
	s.categories = append(s.categories, category)
	if len(s.categories) > maxCategories {
		return &feed.FileError{Line: line, Problem: fmt.Sprintf("names more than %d categories", maxCategories),
			Remedy: "look at the column " + quoted(header.name[typeColumn])}
	}
	return nil
}

// category makes a category of a Type; false when it is too long to be one.
func category(name string) (contract.CategoryInput, bool) {
	category := contract.CategoryInput{Slug: feed.SlugOr("category", name), Name: strings.Clone(name)}
	return category, utf8.RuneCountInString(name) <= feed.MaxCategory && len(category.Slug) <= feed.MaxCategory
}

// categoryName gives a row's Type or else the last part of its product category: "Apparel > Clothing > Shirts" is Shirts.
func categoryName(header *header, row []string) string {
	if name := header.value(row, typeColumn); name != "" {
		return name
	}
	path := header.value(row, productCategoryColumn)
	return strings.TrimSpace(path[strings.LastIndex(path, ">")+1:])
}

// fingerprint stands for a text in a set that must stay small.
type fingerprint [16]byte

func hash(text string) fingerprint {
	sum := sha256.Sum256([]byte(text))
	return fingerprint(sum[:16])
}
