package contract_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

// personal are words that name what tells who somebody is or where they live, as parts of a field's name.
var personal = []string{
	"email", "mail", "name", "address", "street", "line1", "line2", "city", "postal", "postcode", "zip", "phone", "mobile", "birth", "gender",
	"ip", "agent", "password", "token", "card", "iban", "latitude", "longitude", "shopper", "customer", "user", "recipient", "note", "comment",
}

// eventData are all shapes of an event's data.
func eventData() []any {
	return []any{
		contract.ProductChange{}, contract.CategoryChange{}, contract.PriceListChange{}, contract.OrderChange{}, contract.PaymentChange{},
		contract.ReservationChange{}, contract.BandChange{}, contract.CartState{}, contract.CartCode{}, contract.CartEntry{},
	}
}

// personalFields gives the paths of a type's fields that are called like personal data, however deep.
func personalFields(of reflect.Type, path string, within []reflect.Type) (found []string) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return personalFields(of.Elem(), path, within)
	case reflect.Map:
		// Its keys are ids; a text under a key that nobody knows can be anything.
		if of.Elem().Kind() == reflect.String {
			return []string{path}
		}
		return personalFields(of.Elem(), path, within)
	case reflect.Interface:
		return []string{path}
	case reflect.Struct:
	default:
		return nil
	}
	if slices.Contains(within, of) || of.PkgPath() == "time" {
		return nil
	}
	within = append(slices.Clone(within), of)
	for field := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		at := path + "." + field.Name
		words := strings.Split(name+"_"+snake(field.Name), "_")
		if slices.ContainsFunc(words, func(word string) bool { return slices.Contains(personal, word) }) {
			found = append(found, at)
		}
		found = append(found, personalFields(field.Type, at, within)...)
	}
	return found
}

// snake writes LikeThis like_this.
func snake(name string) string {
	var out strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			out.WriteByte('_')
		}
		out.WriteRune(r)
	}
	return strings.ToLower(out.String())
}

func TestNoEventCarriesPersonalData(t *testing.T) {
	t.Parallel()
	known := []string{"Event"}
	for _, data := range eventData() {
		of := reflect.TypeOf(data)
		known = append(known, of.Name())
		for _, field := range personalFields(of, of.Name(), nil) {
			t.Errorf("%s is called like personal data, or may hold anything; personal data never crosses a region's border", field)
		}
	}
	// A shape that is added to event.go is judged from the start.
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, is := n.(*ast.TypeSpec); is && !slices.Contains(known, spec.Name.Name) {
			t.Errorf("event.go has %s, which this test does not judge: add it to eventData", spec.Name.Name)
		}
		return true
	})
}

// The rule itself is tested, because one that finds nothing passes too.
func TestPersonalFieldsAreFoundHoweverDeep(t *testing.T) {
	t.Parallel()
	type parcel struct{ To []*contract.Address }
	for _, test := range []struct {
		data any
		want string
	}{
		{struct{ Email string }{}, "x.Email"},
		{struct {
			Whom string `json:"customer_id"`
		}{}, "x.Whom"},
		{struct{ Parcels []parcel }{}, "x.Parcels.To.Name"},
		{struct{ More map[string]string }{}, "x.More"},
		{struct{ Any any }{}, "x.Any"},
		{struct{ People map[string]contract.Address }{}, "x.People.City"},
		{struct{ Orders map[string]int64 }{}, ""},
		{struct{ SKU, Shipment string }{}, ""},
	} {
		found := personalFields(reflect.TypeOf(test.data), "x", nil)
		if (test.want == "") != (len(found) == 0) || (test.want != "" && !slices.Contains(found, test.want)) {
			t.Errorf("in %s: %v, want %q", fmt.Sprintf("%T", test.data), found, test.want)
		}
	}
}
