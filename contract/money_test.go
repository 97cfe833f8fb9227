package contract_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

func TestParseMoneyIsExact(t *testing.T) {
	t.Parallel()
	cases := []struct {
		decimal, code string
		want          int64
		refused       bool
	}{
		{"36.00", "USD", 3600, false}, {"36", "USD", 3600, false}, {" 0.5 ", "USD", 50, false}, {"19.990", "USD", 1999, false},
		{"1999", "JPY", 1999, false}, {"1999.00", "JPY", 1999, false}, {"1.5", "JPY", 0, true}, {"1.234", "KWD", 1234, false},
		{"34.116425", "USD", 0, true}, {"-1", "USD", 0, true}, {"1e3", "USD", 0, true}, {"1,000", "USD", 0, true}, {"", "USD", 0, true},
		{".5", "USD", 0, true}, {"1.2.3", "USD", 0, true}, {"1", "usd", 0, true}, {"1", "XQZ", 0, true}, {"99999999999999999999", "USD", 0, true},
	}
	for _, c := range cases {
		got, err := contract.ParseMoney(c.decimal, c.code)
		if (err != nil) != c.refused || got.Amount != c.want && !c.refused {
			t.Errorf("%q %s: %v, %v", c.decimal, c.code, got, err)
		}
	}
}

func TestMoneyIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom([]string{"USD", "EUR", "JPY", "KWD", "CLF"}).Draw(t, "currency")
		money := contract.Money{Amount: rapid.Int64Range(0, contract.MaxAmount).Draw(t, "amount"), Currency: code}
		text := money.String()
		read, err := contract.ParseMoney(text[:len(text)-4], code)
		if err != nil || read != money {
			t.Fatalf("%s was read as %v (%v)", text, read, err)
		}
	})
}

func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{"36.00", "-1", "1e9", "00.00", "９"} {
		f.Add(seed, "USD")
	}
	f.Fuzz(func(t *testing.T, decimal, code string) {
		if money, err := contract.ParseMoney(decimal, code); err == nil && (money.Amount < 0 || money.Amount > contract.MaxAmount) {
			t.Fatalf("%q gave %d", decimal, money.Amount)
		}
	})
}

func TestAnAddressNamesTheFieldAtFault(t *testing.T) {
	t.Parallel()
	good := contract.Address{Name: "A", Line1: "1 Street", City: "Dublin", Country: "IE"}
	if err := good.Validate("shipping_address"); err != nil {
		t.Fatal(err)
	}
	bad := map[string]func(*contract.Address){
		"shipping_address.name":    func(a *contract.Address) { a.Name = " " },
		"shipping_address.line1":   func(a *contract.Address) { a.Line1 = "" },
		"shipping_address.city":    func(a *contract.Address) { a.City = "" },
		"shipping_address.country": func(a *contract.Address) { a.Country = "ie" },
	}
	for field, spoil := range bad {
		address := good
		spoil(&address)
		err, ok := address.Validate("shipping_address").(*contract.Error) //nolint:errorlint // the type itself is promised
		if !ok || err.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestBandsFollowAvailability(t *testing.T) {
	t.Parallel()
	for available, want := range map[int64]contract.Band{-1: contract.BandOut, 0: contract.BandOut, 1: contract.BandLow, contract.LowStock: contract.BandLow, contract.LowStock + 1: contract.BandInStock} {
		if got := contract.BandOf(available); got != want {
			t.Errorf("%d is %s, want %s", available, got, want)
		}
	}
}
