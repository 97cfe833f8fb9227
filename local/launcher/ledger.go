package launcher

import (
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/services/payment/provider"
	"github.com/meridian-store/meridian/services/payment/stripe"
)

// PaymentLedger gives the books of the payment provider that the copy of a home uses, and where they are, for people.
func PaymentLedger(home Home) (ledger provider.Ledger, where string, err error) {
	url, key, err := PaymentProvider(home)
	if err != nil {
		return nil, "", err
	}
	account, err := stripe.New(stripe.Config{SecretKey: secret.New(key), URL: url, FineThousandths: OwnsProvider()})
	if err != nil {
		return nil, "", err
	}
	if url == "" {
		url = "Stripe"
	}
	return account, url, nil
}
