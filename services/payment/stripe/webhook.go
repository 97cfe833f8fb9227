package stripe

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/meridian-store/meridian/services/payment/provider"
)

// tolerance is how far a webhook's signature may be from our clock: what is older may be a recording.
const tolerance = 5 * time.Minute

// notice is the part of an event that is read: what it is about. An event's version does not matter for that.
type notice struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data struct {
		Object struct {
			ID            string            `json:"id"`
			Object        string            `json:"object"`
			PaymentIntent json.RawMessage   `json:"payment_intent"`
			Metadata      map[string]string `json:"metadata"`
		} `json:"object"`
	} `json:"data"`
}

// Notice reads a webhook. One about neither an intent nor a refund names neither.
func (s *Stripe) Notice(payload []byte, signature string, now time.Time) (provider.Notice, error) {
	if !s.config.WebhookSecret.IsSet() {
		return provider.Notice{}, fmt.Errorf("no webhook secret is set: %w", provider.ErrBadSignature)
	}
	signed := slices.ContainsFunc(s.config.WebhookSecret.Values(), func(value string) bool {
		return webhook.ValidatePayloadIgnoringTolerance(payload, signature, value) == nil
	})
	if !signed {
		return provider.Notice{}, provider.ErrBadSignature
	}
	if age := now.Sub(signedAt(signature)); age > tolerance || age < -tolerance {
		return provider.Notice{}, fmt.Errorf("it was signed %s away from now: %w", age, provider.ErrBadSignature)
	}
	var told notice
	if err := json.Unmarshal(payload, &told); err != nil {
		return provider.Notice{}, fmt.Errorf("read the webhook: %w", err)
	}
	of := told.Data.Object
	read := provider.Notice{EventID: told.ID, Type: told.Type, SagaID: of.Metadata[metaSaga]}
	switch of.Object {
	case "payment_intent":
		read.IntentID = of.ID
	case "refund":
		read.RefundID, read.RefundAt = of.Metadata[metaRefund], of.ID
		// A plain id; an expanded intent is not sent unless it was asked for.
		if id, err := strconv.Unquote(string(of.PaymentIntent)); err == nil {
			read.IntentID = id
		}
	}
	return read, nil
}

// signedAt reads the time of a header whose signature was found right. It reads exactly as the check did, which counts the last time
// that is named, so that no header has one time for the check and another for the tolerance.
func signedAt(header string) time.Time {
	var at time.Time
	for part := range strings.SplitSeq(header, ",") {
		if text, found := strings.CutPrefix(part, "t="); found {
			if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
				at = time.Unix(seconds, 0)
			}
		}
	}
	return at
}
