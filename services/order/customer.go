package order

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/secret"
)

// customerKey makes names for customers, by which their uses of a promotion are counted. Without the key nobody can test whether an
// address is among them.
type customerKey []byte

func readCustomerKey(given secret.Secret) (customerKey, error) {
	if len(given.Values()) > 1 {
		return nil, errors.New("MERIDIAN_CUSTOMER_KEY must hold one value: the uses of promotions are counted under names made with it")
	}
	key, err := hex.DecodeString(given.Current())
	if err != nil || len(key) < sha256.Size {
		return nil, fmt.Errorf("order needs MERIDIAN_CUSTOMER_KEY in its environment: at least %d bytes in hexadecimal, the same in every region", sha256.Size)
	}
	return key, nil
}

// name gives a user's id, and a hash of the address for a guest; "" for one who has not said either.
func (k customerKey) name(userID, email string) string {
	if contract.IsUserID(userID) {
		return userID
	}
	email = strings.ToLower(strings.TrimSpace(email))
	if email == "" {
		return ""
	}
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(email))
	return "eml_" + hex.EncodeToString(mac.Sum(nil))
}
