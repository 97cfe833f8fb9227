package catalog

import (
	"encoding/json"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

// Whatever the bytes, an item of a bulk is refused by a typed error or is a product that may be stored.
func FuzzProduct(f *testing.F) {
	for _, product := range []contract.ProductInput{shirt("shirt", "a"), mug("mug")} {
		text, err := json.Marshal(product)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{``, `null`, `[]`, `{"slug":1}`, `{"slug":"a","title":"a","variants":[{}],"published":true}`,
		`{"slug":"a","title":"\u0000","variants":[{"sku":"a","prices":[{"amount":1.5,"currency":"USD"}]}],"published":true}`} {
		f.Add([]byte(text))
	}
	products := newShape[contract.ProductInput]()
	f.Fuzz(func(t *testing.T, text []byte) {
		input, err := products.read(text)
		if err == nil {
			_, err = newWish(input, "")
		}
		if contract.CodeOf(err) == contract.CodeInternal {
			t.Fatalf("%s: %v", text, err)
		}
		slugOf(text)
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(encodeCursor("prd_use_01K9ZX3M5Q8T2V4W6Y7Z8A9BCD"))
	f.Add("")
	f.Add("cHJk")
	f.Add("!")
	f.Fuzz(func(t *testing.T, cursor string) {
		id, err := decodeCursor(cursor)
		if err != nil {
			if contract.CodeOf(err) != contract.CodeInvalid {
				t.Fatal(err)
			}
			return
		}
		if cursor != "" && !isProductID(id) {
			t.Fatalf("%q names %q", cursor, id)
		}
	})
}

func TestACursorNamesOnlyAProduct(t *testing.T) {
	t.Parallel()
	const id = "prd_use_01K9ZX3M5Q8T2V4W6Y7Z8A9BCD"
	if got, err := decodeCursor(encodeCursor(id)); err != nil || got != id {
		t.Errorf("%q, %v", got, err)
	}
	for _, cursor := range []string{"x", encodeCursor("ord_use_01K9ZX3M5Q8T2V4W6Y7Z8A9BCD"), encodeCursor("' OR 1=1"), id} {
		if _, err := decodeCursor(cursor); contract.CodeOf(err) != contract.CodeInvalid {
			t.Errorf("%q: %v", cursor, err)
		}
	}
}
