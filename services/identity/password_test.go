package identity

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/meridian-store/meridian/contract"
)

func TestAPasswordMatchesItselfAlone(t *testing.T) {
	t.Parallel()
	p := newPasswords()
	stored, err := p.hash(t.Context(), "naïve café ladder")
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.hash(t.Context(), "naïve café ladder")
	if err != nil {
		t.Fatal(err)
	}
	if stored == again || !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") || outdated(stored) {
		t.Fatalf("stored as %s and %s", stored, again)
	}
	for given, want := range map[string]bool{
		"naïve café ladder":             true,
		"nai\u0308ve cafe\u0301 ladder": true, // the same letters, composed otherwise
		"naive cafe ladder":             false, "": false, "naïve café ladder ": false,
	} {
		if got, err := p.matches(t.Context(), stored, given); err != nil || got != want {
			t.Errorf("%q: %t, %v", given, got, err)
		}
	}
}

func TestNobodyMatchesTheAbsentAccount(t *testing.T) {
	t.Parallel()
	p := newPasswords()
	if got, err := p.matches(t.Context(), "", goodPassword); err != nil || got {
		t.Fatalf("%t, %v", got, err)
	}
	if with, _, _, err := decode(p.dummy); err != nil || with != ours() {
		t.Fatalf("the dummy costs %+v (%v), not what a password does", with, err)
	}
}

func TestAnOlderHashIsStillReadAndSeenToBeOld(t *testing.T) {
	t.Parallel()
	salt := []byte("0123456789abcdef")
	old := cost{memory: 64, passes: 1, lanes: 2}
	stored := encode(old, salt, argon2.IDKey([]byte(goodPassword), salt, old.passes, old.memory, old.lanes, 32))
	if got, err := newPasswords().matches(t.Context(), stored, goodPassword); err != nil || !got || !outdated(stored) {
		t.Fatalf("%t, %v", got, err)
	}
}

func TestHashingWaitsForATurnAndGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	p := newPasswords()
	for p.turns.TryAcquire(1) { // others hold every turn
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.hash(ctx, goodPassword); contract.CodeOf(err) != contract.CodeUnavailable {
		t.Fatalf("got %v", err)
	}
}

func TestPasswordsAreJudgedByLengthAndFameAlone(t *testing.T) {
	t.Parallel()
	for password, good := range map[string]bool{
		"1234567": false, "tr0ub4d&": true, "        ": true, "ÄÖÜäöüßé": true, "Password123": false, "QWERTYUIOP": false, "correct horse battery staple": true,
		strings.Repeat("x", 128): true, strings.Repeat("ß", 129): false, "abc\xffdefgh": false,
		"ｐａｓｓｗｏｒｄ": false, // wide letters are the same password
	} {
		if err := validatePassword("password", password); (err == nil) != good {
			t.Errorf("%q: %v", password, err)
		}
	}
	for password := range common() {
		if n := utf8.RuneCountInString(password); n < minPassword || password != strings.ToLower(password) {
			t.Errorf("%q in the list never refuses anything", password)
		}
	}
}

func TestOneAddressHasOneSpelling(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"ann@example.test": true, " Ann@Example.Test ": true, "ann+shop@example.test": true, "änn@exämple.test": true,
		"": false, "ann": false, "ann@": false, "@example.test": false, "Ann <ann@example.test>": false, "a b@example.test": false,
		"ann@example.test\r\nBcc: x@y.z": false, "ann@example.test, bob@example.test": false, strings.Repeat("a", 250) + "@b.test": false,
	} {
		if _, err := validateEmail("email", text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, same := range []string{"ANN@example.test", " ann@Example.TEST", "ａnn@example.test"} {
		if got := normalise(same); got != "ann@example.test" {
			t.Errorf("%q is known as %q", same, got)
		}
	}
}

func FuzzDecodePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2i$v=19$m=8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		with, salt, key, err := decode(text)
		if err == nil && (encode(with, salt, key) != text || with.memory > maxMemory || with.passes > maxPasses || with.passes == 0 || with.lanes == 0) {
			t.Errorf("%q is read as %+v", text, with)
		}
	})
}

func FuzzParseRefreshToken(f *testing.F) {
	_, text := newRefreshToken("ses_use_01ARZ3NDEKTSV4RRFFQ69G5FAV")
	f.Add(text)
	f.Add("ses_use_01ARZ3NDEKTSV4RRFFQ69G5FAV.")
	f.Add("." + strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := parseRefreshToken(text)
		if ok && (!strings.HasPrefix(text, token.session+".") || len(token.region) != 3) {
			t.Errorf("%q is read as %+v", text, token)
		}
		if !ok && token != (refreshToken{}) {
			t.Errorf("a refused token came back as %+v", token)
		}
	})
}
