// Package stripe moves money through Stripe's API, by Stripe's own client. The payment sandbox speaks the same API, so that this is
// the one adapter there is: what runs on a laptop is what runs in production.
package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v85"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// Config is what the adapter needs.
type Config struct {
	// SecretKey is the account's, or the sandbox's; WebhookSecret that of the endpoint that Stripe sends webhooks to.
	SecretKey, WebhookSecret secret.Secret
	// URL is where the API is; Stripe's own when empty.
	URL string
	// FineThousandths says that the server takes any amount of currencies with three decimals, as the sandbox does. Stripe takes
	// them in whole hundredths only.
	FineThousandths bool
}

// Stripe is a provider.Provider and a provider.Ledger.
type Stripe struct {
	client *api.Client
	http   *http.Client
	config Config
}

var (
	_ provider.Provider = (*Stripe)(nil)
	_ provider.Ledger   = (*Stripe)(nil)
)

// What the provider keeps beside an intent or a refund of ours.
const (
	metaSaga   = "saga_id"
	metaOrder  = "order_id"
	metaRefund = "refund_id"
)

const (
	idleConnections = 64
	dialTimeout     = 30 * time.Second
	pageSize        = 100
)

// New makes the adapter. It repeats nothing by itself and logs nothing: payment decides what is asked again, and bodies hold tokens.
func New(config Config) (*Stripe, error) {
	if !config.SecretKey.IsSet() {
		return nil, errors.New("the payment provider's secret key is missing")
	}
	s := &Stripe{config: config, http: httpclient.New(httpclient.Options{
		DialTimeout: dialTimeout, MaxIdleConnsPerHost: idleConnections, Proxy: true,
	})}
	settings := &api.BackendConfig{
		HTTPClient: s.http, EnableTelemetry: new(false), MaxNetworkRetries: new(int64(0)),
		LeveledLogger: &api.LeveledLogger{Level: api.LevelNull},
	}
	if config.URL != "" {
		settings.URL = new(strings.TrimSuffix(config.URL, "/"))
	}
	s.client = api.NewClient(config.SecretKey.Current(), api.WithBackends(api.NewBackendsWithConfig(settings)))
	return s, nil
}

// Close drops idle connections.
func (s *Stripe) Close() { s.http.CloseIdleConnections() }

// Prepare creates an intent of cards.
func (s *Stripe) Prepare(ctx context.Context, charge provider.Charge) (provider.Intent, error) {
	amount, err := s.outward(charge.Amount)
	if err != nil {
		return provider.Intent{}, err
	}
	method := api.PaymentIntentCaptureMethodAutomatic
	if charge.ByHand {
		method = api.PaymentIntentCaptureMethodManual
	}
	params := &api.PaymentIntentCreateParams{
		Amount: &amount, Currency: new(strings.ToLower(charge.Amount.Currency)), CaptureMethod: new(string(method)),
		PaymentMethodTypes: []*string{new("card")},
		Metadata:           map[string]string{metaSaga: charge.SagaID, metaOrder: charge.OrderID},
	}
	params.SetIdempotencyKey(charge.Key)
	made, err := s.client.V1PaymentIntents.Create(ctx, params)
	if err != nil {
		return provider.Intent{}, judge("create the payment intent", err)
	}
	return s.intent(made)
}

// Confirm takes a token of Stripe's: tok_… of a card, pm_… of a payment method, ctoken_… of a confirmation. A bank that wants to see
// the shopper declines, because nobody is there to show them to it.
func (s *Stripe) Confirm(ctx context.Context, confirmation provider.Confirmation) (provider.Intent, error) {
	params := &api.PaymentIntentConfirmParams{ErrorOnRequiresAction: new(true)}
	switch {
	case strings.HasPrefix(confirmation.Token, "pm_"):
		params.PaymentMethod = &confirmation.Token
	case strings.HasPrefix(confirmation.Token, "ctoken_"):
		params.ConfirmationToken = &confirmation.Token
	default:
		params.AddExtra("payment_method_data[type]", "card")
		params.AddExtra("payment_method_data[card][token]", confirmation.Token)
	}
	params.SetIdempotencyKey(confirmation.Key)
	confirmed, err := s.client.V1PaymentIntents.Confirm(ctx, confirmation.IntentID, params)
	var answer *api.Error
	if errors.As(err, &answer) && aboutToken(answer) {
		return provider.Intent{}, provider.ErrInvalidToken
	}
	return s.settled(ctx, "confirm the payment intent", confirmation.IntentID, confirmed, err)
}

// Capture takes all that was authorised.
func (s *Stripe) Capture(ctx context.Context, intentID, key string) (provider.Intent, error) {
	params := &api.PaymentIntentCaptureParams{}
	params.SetIdempotencyKey(key)
	captured, err := s.client.V1PaymentIntents.Capture(ctx, intentID, params)
	return s.settled(ctx, "capture the payment intent", intentID, captured, err)
}

// Cancel cancels an intent that is not captured yet.
func (s *Stripe) Cancel(ctx context.Context, intentID, key string) (provider.Intent, error) {
	params := &api.PaymentIntentCancelParams{}
	params.SetIdempotencyKey(key)
	cancelled, err := s.client.V1PaymentIntents.Cancel(ctx, intentID, params)
	return s.settled(ctx, "cancel the payment intent", intentID, cancelled, err)
}

// settled reads an intent out of an answer, also out of a refusal that comes from how it stands already.
func (s *Stripe) settled(ctx context.Context, what, id string, answered *api.PaymentIntent, err error) (provider.Intent, error) {
	if err == nil {
		return s.intent(answered)
	}
	var answer *api.Error
	if !errors.As(err, &answer) {
		return provider.Intent{}, judge(what, err)
	}
	switch {
	case answer.Type == api.ErrorTypeCard && answer.PaymentIntent != nil:
		declined, err := s.intent(answer.PaymentIntent)
		if err == nil && declined.State == provider.Open {
			// The refusal itself, not only the intent's memory of it, says that it was declined.
			declined.State, declined.Reason = provider.Declined, string(answer.Code)
		}
		return declined, err
	case answer.Code == api.ErrorCodePaymentIntentUnexpectedState:
		// A kept answer may show the intent as it stood then.
		return s.Find(ctx, id)
	}
	return provider.Intent{}, judge(what, err)
}

// Find reads an intent.
func (s *Stripe) Find(ctx context.Context, intentID string) (provider.Intent, error) {
	found, err := s.client.V1PaymentIntents.Retrieve(ctx, intentID, nil)
	if err != nil {
		return provider.Intent{}, judge("read the payment intent", err)
	}
	return s.intent(found)
}

// Refund gives money back.
func (s *Stripe) Refund(ctx context.Context, order provider.RefundOrder) (provider.Refund, error) {
	amount, err := s.outward(order.Amount)
	if err != nil {
		return provider.Refund{}, err
	}
	params := &api.RefundCreateParams{
		PaymentIntent: &order.IntentID, Amount: &amount,
		Metadata: map[string]string{metaSaga: order.SagaID, metaRefund: order.RefundID},
	}
	params.SetIdempotencyKey(order.Key)
	made, err := s.client.V1Refunds.Create(ctx, params)
	if err != nil {
		return provider.Refund{}, judge("refund", err)
	}
	return s.refund(made)
}

// FindRefund reads a refund.
func (s *Stripe) FindRefund(ctx context.Context, id string) (provider.Refund, error) {
	found, err := s.client.V1Refunds.Retrieve(ctx, id, nil)
	if err != nil {
		return provider.Refund{}, judge("read the refund", err)
	}
	return s.refund(found)
}

// Charges gives the intents, newest first.
func (s *Stripe) Charges(ctx context.Context, since time.Time, each func(provider.Intent) error) error {
	params := &api.PaymentIntentListParams{CreatedRange: &api.RangeQueryParams{GreaterThanOrEqual: since.Unix()}}
	params.Limit = new(int64(pageSize))
	for found, err := range s.client.V1PaymentIntents.List(ctx, params).All(ctx) {
		if err != nil {
			return judge("list the payment intents", err)
		}
		read, err := s.intent(found)
		if err != nil {
			return err
		}
		if err := each(read); err != nil {
			return err
		}
	}
	return nil
}

// Refunds gives the refunds, newest first.
func (s *Stripe) Refunds(ctx context.Context, since time.Time, each func(provider.Refund) error) error {
	params := &api.RefundListParams{CreatedRange: &api.RangeQueryParams{GreaterThanOrEqual: since.Unix()}}
	params.Limit = new(int64(pageSize))
	for found, err := range s.client.V1Refunds.List(ctx, params).All(ctx) {
		if err != nil {
			return judge("list the refunds", err)
		}
		read, err := s.refund(found)
		if err != nil {
			return err
		}
		if err := each(read); err != nil {
			return err
		}
	}
	return nil
}

// aboutToken says that a refusal is about the means of payment and not about the intent.
func aboutToken(answer *api.Error) bool {
	return answer.Code == api.ErrorCodeTokenAlreadyUsed || (answer.Code == api.ErrorCodeResourceMissing && answer.Param != "intent" && answer.Param != "")
}

// judge makes an error of the port of what Stripe answered. Stripe's own text would show the intent, and so is left out.
func judge(what string, err error) error {
	var answer *api.Error
	if !errors.As(err, &answer) {
		return fmt.Errorf("%s: %w", what, err)
	}
	switch {
	case answer.Code == api.ErrorCodeIdempotencyKeyInUse, answer.Code == api.ErrorCodeLockTimeout:
		return fmt.Errorf("%s: %w", what, provider.ErrBusy)
	case answer.Type == api.ErrorTypeIdempotency:
		return fmt.Errorf("%s: %w", what, provider.ErrKeyReused)
	case answer.HTTPStatusCode == http.StatusNotFound && answer.Code == api.ErrorCodeResourceMissing:
		return fmt.Errorf("%s: %w", what, provider.ErrNotFound)
	case answer.HTTPStatusCode == http.StatusBadRequest && answer.Type == api.ErrorTypeInvalidRequest,
		answer.HTTPStatusCode == http.StatusPaymentRequired:
		code := string(answer.Code)
		if code == "" {
			code = strings.TrimSuffix("invalid_request:"+answer.Param, ":")
		}
		return fmt.Errorf("%s: %w", what, &provider.Refused{Code: code})
	}
	return fmt.Errorf("%s: the payment provider answered %d %s %s (request %s)", what, answer.HTTPStatusCode, answer.Type, answer.Code, answer.RequestID)
}
