// Package identity knows who shoppers are: accounts, their sessions and addresses, and the tokens that prove them.
//
// The rules:
//
//   - A user is homed in the region that served the registration, for ever; email, name and addresses are in that region's rows alone.
//     The login directory, which every region reads, maps a keyed hash of the address to the home region and holds nothing else.
//   - One account for an address, however it is spelled in case, width or surrounding spaces.
//   - A password has 8 to 128 characters, whichever they are, and is not among the most common. It is kept as argon2id.
//   - Logging in with an unknown address and with a wrong password cost the same and answer the same. Each address may be tried
//     10 times in 15 minutes; the gateway limits how often each client may try.
//   - An access token lives 15 minutes, is signed by the region that served the login, and is verified everywhere without asking.
//     It tells an id and a role.
//   - A refresh token serves once and gives the next one. Whoever presents one that has served ends its session, because either
//     they or the one who used it first has stolen it. Sessions end after 30 days without use, and with every change of password.
//   - Erasing an account deletes its rows and its directory entry. Orders remain, as the law wants, in the order service.
package identity

import (
	_ "embed"
	"net/mail"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/meridian-store/meridian/contract"
)

const (
	// accessLifetime is how long an access token is valid, and so how long a change of role may take to be felt.
	accessLifetime = 15 * time.Minute
	// sessionLifetime is how long a session lives after its last refresh.
	sessionLifetime = 30 * 24 * time.Hour

	minPassword = 8
	maxPassword = 128
	maxEmail    = 254
	maxName     = 200

	// maxAttempts is how often an address may be tried in attemptWindow. A login that succeeds starts the count anew.
	maxAttempts   = 10
	attemptWindow = 15 * time.Minute
)

//go:embed common.txt
var commonText string

// common holds the passwords that guessers try first, of those that are long enough.
var common = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonText) {
		set[strings.TrimSpace(line)] = true
	}
	return set
})

// validatePassword refuses what NIST SP 800-63B says to refuse and nothing else: there are no rules of composition.
func validatePassword(field, password string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return contract.Invalid(field, "is not text")
	case n < minPassword:
		return contract.Invalid(field, "has %d characters; at least %d are needed", n, minPassword)
	case n > maxPassword:
		return contract.Invalid(field, "has %d characters; at most %d are taken", n, maxPassword)
	case common()[strings.ToLower(norm.NFKC.String(password))]:
		return contract.Invalid(field, "is among the passwords that are tried first; choose another")
	}
	return nil
}

// validateEmail refuses what is not one plain address, and gives it without spaces around it.
func validateEmail(field, text string) (string, error) {
	text = strings.TrimSpace(text)
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || parsed.Name != "" || len(text) > maxEmail || strings.ContainsAny(text, "\"<>() \t\r\n") {
		return "", contract.Invalid(field, "is not an email address")
	}
	return text, nil
}

func validateName(field, text string) (string, error) {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > maxName || strings.ContainsAny(text, "\r\n\x00") {
		return "", contract.Invalid(field, "is longer than %d characters or has more than one line", maxName)
	}
	return text, nil
}

// normalise gives the one spelling that an address is known by. Mailboxes that differ in case alone belong to one person everywhere.
func normalise(email string) string {
	return strings.ToLower(norm.NFKC.String(strings.TrimSpace(email)))
}

// account is a user as they are kept.
type account struct {
	contract.User
	// passwordHash is a PHC string.
	passwordHash string
	// addressHash is the keyed hash that the login directory knows the user by.
	addressHash []byte
}

// errWrongLogin is the one answer to an unknown address and to a wrong password.
func errWrongLogin() error {
	return contract.Errorf(contract.CodeUnauthorized, "the address or the password is wrong")
}

func errTaken() error {
	err := contract.Errorf(contract.CodeConflict, "this address cannot be registered")
	err.Field = "email"
	return err
}

func errNoSession() error {
	return contract.Errorf(contract.CodeUnauthorized, "the refresh token is not valid; log in again")
}

func errNoUser() error {
	return contract.Errorf(contract.CodeUnauthorized, "this account is no more")
}

func errNoAddress() error {
	return contract.Errorf(contract.CodeNotFound, "there is no such address")
}
