package cart

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

func TestACartSurvivesItsFieldsAndItsBackup(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Int64Range(0, 1<<52)
		region := rapid.SampledFrom([]string{"", "aps", "euw"})
		lines := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) line {
			return line{sku: rapid.StringN(1, 20, -1).Draw(t, "sku"), quantity: count.Draw(t, "quantity"), region: region.Draw(t, "region"), version: count.Draw(t, "version"), added: count.Draw(t, "added")}
		}), 0, 10, func(l line) string { return l.sku }).Draw(t, "lines")
		sortLines(lines)
		codes := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) code {
			return code{code: rapid.StringN(1, 20, -1).Draw(t, "code"), title: rapid.StringN(0, 20, -1).Draw(t, "title"), entered: rapid.Bool().Draw(t, "entered"),
				region: region.Draw(t, "region"), version: count.Draw(t, "version"), added: count.Draw(t, "added")}
		}), 0, 4, func(c code) string { return c.code }).Draw(t, "codes")
		sortCodes(codes)
		want := cart{id: "crt", secretHash: "hash", currency: "USD", version: count.Draw(t, "version"), lines: lines, codes: codes,
			abandoned: rapid.Bool().Draw(t, "abandoned"),
			orders:    rapid.MapOf(rapid.String(), count).Draw(t, "orders")}
		same := func(got cart) {
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(cart{}, line{}, code{}), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
		}
		fields := map[string]string{}
		encoded := encodeCart(want)
		for i := 0; i < len(encoded); i += 2 {
			fields[encoded[i]] = encoded[i+1]
		}
		got, err := decodeCart("crt", fields)
		if err != nil {
			t.Fatal(err)
		}
		same(got)
		columns, err := encodeSaved(want)
		if err != nil {
			t.Fatal(err)
		}
		got = cart{id: want.id, secretHash: want.secretHash, currency: want.currency, version: want.version, abandoned: want.abandoned}
		if err := decodeSaved(&got, []byte(columns.lines), []byte(columns.codes), []byte(columns.orders)); err != nil {
			t.Fatal(err)
		}
		same(got)
	})
}

func TestFieldsThatAreNoCartAreRefused(t *testing.T) {
	t.Parallel()
	for _, fields := range []map[string]string{
		{},
		{"version": "-1"},
		{"version": "1", "l:A": "1|2"},
		{"version": "1", "l:A": "1|2|3|4"},
		{"version": "1", "l:A": "1|x|3"},
		{"version": "1", "l:A": "99999999999999999999|1|1"},
		{"version": "1", "o:ord": ""},
		{"version": "1", "p:CODE": "1|1|1"},
		{"version": "1", "p:CODE": "1|x|1|Title"},
	} {
		if got, err := decodeCart("crt", fields); err == nil {
			t.Errorf("%v became %+v", fields, got)
		}
	}
}

func TestASKUInAPathMustBeEncoded(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"A%2FB": "A/B", "two%20words": "two words", "a+b": "a+b"} {
		if got, err := (SKUPath{SKU: path}).decode(); err != nil || got != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for _, path := range []string{"%ZZ", "%", "%FF", "%00", "%20A", strings.Repeat("x", 101)} {
		if got, err := (SKUPath{SKU: path}).decode(); contract.CodeOf(err) != contract.CodeInvalid {
			t.Errorf("%s became %q, %v", path, got, err)
		}
	}
}

func FuzzParseClaim(f *testing.F) {
	_, text := newClaim(geo.IDs{}, "use")
	f.Add(text)
	f.Add(text[:len(text)-1])
	f.Add("crt_use_01ARZ3NDEKTSV4RRFFQ69G5FAV.")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseClaim(text)
		if !ok {
			return
		}
		id, secret, _ := strings.Cut(text, ".")
		if got.id != id || !got.opens(hashSecret(secret)) || got.opens(hashSecret(secret+"0")) || strings.Contains(got.secretHash, secret) {
			t.Errorf("%q became %+v", text, got)
		}
	})
}

func FuzzDecodeCart(f *testing.F) {
	f.Add("1", "A", "1|2|3", "7")
	f.Add("x", "", "||", "")
	f.Fuzz(func(t *testing.T, version, sku, value, order string) {
		c, err := decodeCart("crt", map[string]string{"version": version, "l:" + sku: value, "o:1": order})
		if err != nil {
			return
		}
		if len(c.lines) != 1 || c.lines[0].sku != sku || c.version < 0 || c.lines[0].quantity < 0 || c.orders["1"] < 0 {
			t.Errorf("%q %q %q became %+v", version, sku, value, c)
		}
	})
}
