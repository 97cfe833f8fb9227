package cart

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The fields of a cart's hash in Redis, which the scripts in lua/ read and write. An entry of the outbox holds the same fields.
const (
	fieldSecret   = "secret"
	fieldCurrency = "currency"
	fieldVersion  = "version"
	fieldMerged   = "merged" // the user's cart that the lines moved into
	// fieldAbandoned is the version that was announced as abandoned.
	fieldAbandoned = "abandoned"
	// fieldSite is the code of the region that has restored a cart of another.
	fieldSite   = "site"
	prefixLine  = "l:" // l:<SKU> is quantity|version|added; a region's code follows a version that the home did not make
	prefixCode  = "p:" // p:<promotion code> is 1 (entered) or 0|version|added|title, the version as that of a line
	prefixOrder = "o:" // o:<order id> is the version at which it was taken out, o:<cart id> that at which it moved in
)

// decodeCart reads a cart's fields. Those of other names are not the cart's and are passed over.
func decodeCart(id string, fields map[string]string) (cart, error) {
	c := cart{id: id, secretHash: fields[fieldSecret], currency: fields[fieldCurrency], site: fields[fieldSite], mergedInto: fields[fieldMerged], orders: map[string]int64{}}
	var err error
	if c.version, err = decodeCount(fields[fieldVersion]); err != nil {
		return cart{}, fmt.Errorf("the version of cart %s: %w", id, err)
	}
	c.abandoned = fields[fieldAbandoned] != "" && fields[fieldAbandoned] == fields[fieldVersion]
	for field, value := range fields {
		if sku, isLine := strings.CutPrefix(field, prefixLine); isLine {
			l, err := decodeLine(sku, value)
			if err != nil {
				return cart{}, fmt.Errorf("a line of cart %s: %w", id, err)
			}
			c.lines = append(c.lines, l)
		} else if name, isCode := strings.CutPrefix(field, prefixCode); isCode {
			each, err := decodeCode(name, value)
			if err != nil {
				return cart{}, fmt.Errorf("a promotion code of cart %s: %w", id, err)
			}
			c.codes = append(c.codes, each)
		} else if order, isOrder := strings.CutPrefix(field, prefixOrder); isOrder {
			if c.orders[order], err = decodeCount(value); err != nil {
				return cart{}, fmt.Errorf("an order of cart %s: %w", id, err)
			}
		}
	}
	sortLines(c.lines)
	sortCodes(c.codes)
	return c, nil
}

// encodeCart gives the fields of a cart, names and values in turn.
func encodeCart(c cart) []string {
	fields := []string{fieldSecret, c.secretHash, fieldCurrency, c.currency, fieldVersion, strconv.FormatInt(c.version, 10)}
	for _, l := range c.lines {
		fields = append(fields, prefixLine+l.sku, fmt.Sprintf("%d|%d%s|%d", l.quantity, l.version, l.region, l.added))
	}
	for _, each := range c.codes {
		entered := 0
		if each.entered {
			entered = 1
		}
		fields = append(fields, prefixCode+each.code, fmt.Sprintf("%d|%d%s|%d|%s", entered, each.version, each.region, each.added, each.title))
	}
	if c.site != "" {
		fields = append(fields, fieldSite, c.site)
	}
	if c.abandoned {
		fields = append(fields, fieldAbandoned, strconv.FormatInt(c.version, 10))
	}
	for order, version := range c.orders {
		fields = append(fields, prefixOrder+order, strconv.FormatInt(version, 10))
	}
	return fields
}

// sortLines puts lines in the order added. No two are added by one version, but an outsider's might be.
func sortLines(lines []line) {
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.added, b.added), cmp.Compare(a.sku, b.sku))
	})
}

func sortCodes(codes []code) {
	slices.SortFunc(codes, func(a, b code) int {
		return cmp.Or(cmp.Compare(a.added, b.added), cmp.Compare(a.code, b.code))
	})
}

func decodeCode(name, value string) (code, error) {
	parts := strings.SplitN(value, "|", 4)
	if len(parts) != 4 {
		return code{}, fmt.Errorf("%d parts, not 4", len(parts))
	}
	each := code{code: name, title: parts[3], entered: parts[0] == "1"}
	var err error
	if each.version, each.region, err = decodeStamp(parts[1]); err != nil {
		return code{}, err
	}
	each.added, err = decodeCount(parts[2])
	return each, err
}

func decodeLine(sku, value string) (line, error) {
	parts := strings.Split(value, "|")
	if len(parts) != 3 {
		return line{}, fmt.Errorf("%d parts, not 3", len(parts))
	}
	l := line{sku: sku}
	var err error
	if l.quantity, err = decodeCount(parts[0]); err != nil {
		return line{}, err
	}
	if l.version, l.region, err = decodeStamp(parts[1]); err != nil {
		return line{}, err
	}
	l.added, err = decodeCount(parts[2])
	return l, err
}

// decodeStamp reads a version, and the code of the region that made it when that is not the cart's home.
func decodeStamp(text string) (version int64, region string, err error) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	version, err = decodeCount(digits)
	return version, text[len(digits):], err
}

func decodeCount(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("not a count: %w", err)
	}
	return int64(n), nil
}
