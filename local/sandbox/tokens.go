package sandbox

// The tokens that the sandbox knows. The first two are Stripe's own test tokens.
const (
	TokenVisa     = "tok_visa"           //nolint:gosec // a public name, not a secret
	TokenDeclined = "tok_chargeDeclined" //nolint:gosec // a public name, not a secret
	// TokenSlow takes SlowConfirm to charge.
	TokenSlow = "tok_slow" //nolint:gosec // a public name, not a secret
	// TokenTimeoutAfterCharge charges, and never answers the first who confirms with it.
	TokenTimeoutAfterCharge = "tok_timeoutAfterCharge" //nolint:gosec // a public name, not a secret
)

// CodeDeclined is why TokenDeclined is refused.
const CodeDeclined = "card_declined"

func known(token string) bool {
	switch token {
	case TokenVisa, TokenDeclined, TokenSlow, TokenTimeoutAfterCharge:
		return true
	}
	return false
}
