package sandbox

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// The statuses of an intent that the sandbox knows, in Stripe's words.
const (
	statusOpen       = "requires_payment_method"
	statusAuthorised = "requires_capture"
	statusSucceeded  = "succeeded"
	statusCanceled   = "canceled"
)

const (
	captureAtOnce = "automatic"
	captureByHand = "manual"
)

// intent is a PaymentIntent as the ledger keeps it and as Stripe's API shows it. Amounts are in the currency's minor units as
// Stripe counts them.
type intent struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	Amount             int64             `json:"amount"`
	AmountCapturable   int64             `json:"amount_capturable"`
	AmountReceived     int64             `json:"amount_received"`
	CanceledAt         *int64            `json:"canceled_at"`
	CancellationReason *string           `json:"cancellation_reason"`
	CaptureMethod      string            `json:"capture_method"`
	ClientSecret       *string           `json:"client_secret"`
	ConfirmationMethod string            `json:"confirmation_method"`
	Created            int64             `json:"created"`
	Currency           string            `json:"currency"`
	LastPaymentError   *problem          `json:"last_payment_error"`
	LatestCharge       *string           `json:"latest_charge"`
	Livemode           bool              `json:"livemode"`
	Metadata           map[string]string `json:"metadata"`
	PaymentMethod      *string           `json:"payment_method"`
	PaymentMethodTypes []string          `json:"payment_method_types"`
	Status             string            `json:"status"`
}

// booked is an intent in the ledger, with the sum of its refunds, which Stripe shows elsewhere.
type booked struct {
	Intent   intent `json:"intent"`
	Refunded int64  `json:"refunded"`
}

// refund is a Refund as the ledger keeps it and as Stripe's API shows it.
type refund struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Charge        *string           `json:"charge"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Reason        *string           `json:"reason"`
	Status        string            `json:"status"`
}

// page is a list as Stripe's API shows it.
type page struct {
	Object  string `json:"object"`
	URL     string `json:"url"`
	HasMore bool   `json:"has_more"`
	Data    []any  `json:"data"`
}

// event is what a webhook sends.
type event struct {
	ID              string       `json:"id"`
	Object          string       `json:"object"`
	APIVersion      string       `json:"api_version"`
	Created         int64        `json:"created"`
	Data            eventData    `json:"data"`
	Livemode        bool         `json:"livemode"`
	PendingWebhooks int64        `json:"pending_webhooks"`
	Request         eventRequest `json:"request"`
	Type            string       `json:"type"`
}

type eventData struct {
	Object any `json:"object"`
}

type eventRequest struct {
	ID             string  `json:"id"`
	IdempotencyKey *string `json:"idempotency_key"`
}

var idText = base32.HexEncoding.WithPadding(base32.NoPadding)

// newID makes an id such as pi_06N…: 6 bytes of time in milliseconds, so that ids sort by creation, and 9 of chance.
func newID(kind string, at time.Time) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(at.UnixMilli())) //nolint:gosec // after 1970
	rand.Read(raw[8:])                                          // never fails: crypto/rand ends the process instead
	return kind + "_" + idText.EncodeToString(raw[2:])
}
