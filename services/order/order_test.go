package order

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

func TestNumberIsForPeople(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`)
	seen := map[string]bool{}
	for range 1000 {
		number := newNumber()
		if !form.MatchString(number) || seen[number] {
			t.Fatalf("%q is ambiguous, or came twice", number)
		}
		seen[number] = true
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	tests := map[string]contract.Code{
		"": contract.CodeKeyMissing, "a": "", strings.Repeat("k", 255): "", strings.Repeat("k", 256): contract.CodeInvalid,
		"two words": contract.CodeInvalid, "tab\t": contract.CodeInvalid, "é": contract.CodeInvalid, `"8e03978e-40d5-43dd-bc93-6894a57f9324"`: "",
	}
	for key, want := range tests {
		if got := contract.CodeOf(validateKey(key)); got != want {
			t.Errorf("%.20q: %q, not %q", key, got, want)
		}
	}
}

func FuzzCartRef(f *testing.F) {
	const secret = "0123456789abcdef0123456789abcdef"
	f.Add("crt_use_01ARZ3NDEKTSV4RRFFQ69G5FAV." + secret)
	f.Add("crt_use_01ARZ3NDEKTSV4RRFFQ69G5FAV")
	f.Add("ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAV." + secret)
	f.Add("crt_use_01ARZ3NDEKTSV4RRFFQ69G5FAV." + strings.ToUpper(secret))
	f.Add(".")
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := parseCartRef(text)
		if err != nil {
			if code := contract.CodeOf(err); code != contract.CodeNotFound && code != contract.CodeInvalid {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if ref.text != text || !strings.HasPrefix(text, ref.id+".") || !strings.HasPrefix(ref.id, "crt_"+ref.region+"_") || len(text) != len(ref.id)+1+32 {
			t.Fatalf("%q was read as %+v", text, ref)
		}
	})
}

func TestRequest(t *testing.T) {
	t.Parallel()
	good := Request{
		Payment: Means{Token: "tok_visa"}, Email: "ada@example.com", ShippingMethod: "standard",
		ShippingAddress: contract.Address{Name: "Ada", Line1: "1 Main St", City: "Dublin", Country: "IE"},
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(*Request){
		"payment.token":            func(r *Request) { r.Payment.Token = " " },
		"email":                    func(r *Request) { r.Email = "ada@" },
		"shipping_address.country": func(r *Request) { r.ShippingAddress.Country = "XX" },
		"shipping_address.city":    func(r *Request) { r.ShippingAddress.City = "" },
	}
	hash, err := good.hash("crt_a")
	if err != nil {
		t.Fatal(err)
	}
	for field, spoil := range tests {
		bad := good
		spoil(&bad)
		var typed *contract.Error
		if err := bad.Validate(); !errors.As(err, &typed) || typed.Field != field {
			t.Errorf("%s: %v", field, err)
		}
		if other, err := bad.hash("crt_a"); err != nil || string(other) == string(hash) {
			t.Errorf("%s does not change the hash (%v)", field, err)
		}
	}
	if other, err := good.hash("crt_b"); err != nil || string(other) == string(hash) {
		t.Errorf("the cart does not change the hash (%v)", err)
	}
}
