package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	api "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"
	"github.com/stripe/stripe-mock/embedded"
	"go.uber.org/goleak"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/sandbox"
	"github.com/meridian-store/meridian/local/sandbox/sandboxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reply is what the sandbox answered.
type reply struct {
	status   int
	replayed bool
	body     map[string]any
}

// text reads a member by its path, such as error.code.
func (r reply) text(path string) string {
	var value any = r.body
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return ""
		}
		value = object[name]
	}
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func ask(t *testing.T, method, address, key string, form url.Values) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "Bearer "+sandboxtest.SecretKey)
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := httpclient.Default.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer httpclient.Default.CloseIdleConnections()
	defer response.Body.Close()
	got := reply{status: response.StatusCode, replayed: response.Header.Get("Idempotent-Replayed") == "true"}
	if err := json.NewDecoder(response.Body).Decode(&got.body); err != nil {
		t.Fatal(err)
	}
	return got
}

func create(t *testing.T, address, key string) reply {
	t.Helper()
	got := ask(t, http.MethodPost, address+"/v1/payment_intents", key, url.Values{
		"amount": {"1999"}, "currency": {"usd"}, "payment_method_types[0]": {"card"}, "metadata[saga_id]": {"sga_1"},
	})
	if got.status != http.StatusOK {
		t.Fatalf("got %+v", got)
	}
	return got
}

func confirm(t *testing.T, address, id, token, key string) reply {
	t.Helper()
	return ask(t, http.MethodPost, address+"/v1/payment_intents/"+id+"/confirm", key, url.Values{
		"payment_method_data[type]": {"card"}, "payment_method_data[card][token]": {token},
	})
}

func TestAKeyIsRememberedForADay(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	address := sandboxtest.Start(t, func(c *sandbox.Config) {
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	first := create(t, address, "k")
	again := create(t, address, "k")
	if !again.replayed || again.text("id") != first.text("id") {
		t.Errorf("the repeat got %+v", again)
	}
	other := ask(t, http.MethodPost, address+"/v1/payment_intents", "k", url.Values{"amount": {"2000"}, "currency": {"usd"}})
	if other.status != http.StatusBadRequest || other.text("error.type") != "idempotency_error" {
		t.Errorf("another request under the key got %+v", other)
	}
	mu.Lock()
	now = now.Add(25 * time.Hour)
	mu.Unlock()
	if fresh := create(t, address, "k"); fresh.replayed || fresh.text("id") == first.text("id") {
		t.Errorf("a day later the key still gives %+v", fresh)
	}
}

func TestErrorsAreStripes(t *testing.T) {
	t.Parallel()
	address := sandboxtest.Start(t, nil)
	made := create(t, address, "")
	id := made.text("id")
	for name, test := range map[string]struct {
		got                       reply
		status                    int
		kind, code, param, holder string
	}{
		"declined":      {confirm(t, address, id, sandbox.TokenDeclined, ""), 402, "card_error", "card_declined", "", id},
		"unknown token": {confirm(t, address, id, "tok_nobody", ""), 400, "invalid_request_error", "resource_missing", "payment_method_data[card][token]", ""},
		"no intent":     {ask(t, http.MethodGet, address+"/v1/payment_intents/pi_nobody", "", nil), 404, "invalid_request_error", "resource_missing", "intent", ""},
		"no amount":     {ask(t, http.MethodPost, address+"/v1/payment_intents", "", url.Values{"currency": {"usd"}}), 400, "invalid_request_error", "parameter_missing", "amount", ""},
		"a fraction":    {ask(t, http.MethodPost, address+"/v1/payment_intents", "", url.Values{"amount": {"1.5"}, "currency": {"usd"}}), 400, "invalid_request_error", "parameter_invalid_integer", "amount", ""},
		"unknown field": {ask(t, http.MethodPost, address+"/v1/payment_intents", "", url.Values{"amount": {"1"}, "currency": {"usd"}, "tip": {"1"}}), 400, "invalid_request_error", "parameter_unknown", "tip", ""},
		"early capture": {ask(t, http.MethodPost, address+"/v1/payment_intents/"+id+"/capture", "", nil), 400, "invalid_request_error", "payment_intent_unexpected_state", "", id},
		"unknown path":  {ask(t, http.MethodPost, address+"/v1/customers", "", nil), 404, "invalid_request_error", "", "", ""},
	} {
		if test.got.status != test.status || test.got.text("error.type") != test.kind || test.got.text("error.code") != test.code ||
			test.got.text("error.param") != test.param || test.got.text("error.payment_intent.id") != test.holder {
			t.Errorf("%s got %+v", name, test.got)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/v1/payment_intents", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer sk_of_somebody")
	response, err := httpclient.Default.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("another's key got %d", response.StatusCode)
	}
}

// While a slow confirmation is under way nobody else changes its intent; it goes on when its caller hangs up.
func TestASlowConfirmationIsAlone(t *testing.T) {
	t.Parallel()
	begun, end := make(chan time.Duration, 1), make(chan struct{})
	address := sandboxtest.Start(t, func(c *sandbox.Config) {
		c.Wait = func(_ context.Context, how time.Duration) error { begun <- how; <-end; return nil }
	})
	id := create(t, address, "").text("id")
	done := make(chan reply, 1)
	go func() { done <- confirm(t, address, id, sandbox.TokenSlow, "k") }()
	if how := <-begun; how != sandbox.SlowConfirm {
		t.Errorf("it takes %s", how)
	}
	if got := confirm(t, address, id, sandbox.TokenSlow, "k"); got.status != http.StatusConflict || got.text("error.code") != "idempotency_key_in_use" {
		t.Errorf("the same request got %+v", got)
	}
	if got := ask(t, http.MethodPost, address+"/v1/payment_intents/"+id+"/cancel", "", nil); got.status != http.StatusTooManyRequests || got.text("error.code") != "lock_timeout" {
		t.Errorf("a cancel got %+v", got)
	}
	close(end)
	if got := <-done; got.text("status") != "succeeded" {
		t.Errorf("it ended as %+v", got)
	}
}

// What was answered is on the disk: the next process answers alike, and goes on with the webhooks that nobody took.
func TestTheLedgerOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	taken := make(chan api.Event, 8)
	refuse := true
	var mu sync.Mutex
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if refuse {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), sandboxtest.WebhookSecret)
		if err != nil {
			t.Errorf("Stripe's own library refuses the webhook: %v", err)
		}
		taken <- event
	}))
	t.Cleanup(hook.Close)
	config := sandbox.Config{
		Path: filepath.Join(t.TempDir(), "ledger"), SecretKey: sandboxtest.SecretKey, Log: slog.New(slog.DiscardHandler),
		Webhook: sandbox.Webhook{URL: hook.URL, Secret: sandboxtest.WebhookSecret},
	}
	open := func() (string, func()) {
		running, err := sandbox.Open(config)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(running)
		return server.URL, func() {
			server.Close()
			if err := errors.Join(running.Close(), running.Close()); err != nil {
				t.Error(err)
			}
		}
	}
	address, closeFirst := open()
	id := create(t, address, "create").text("id")
	first := confirm(t, address, id, sandbox.TokenVisa, "confirm")
	closeFirst()
	mu.Lock()
	refuse = false
	mu.Unlock()
	address, closeSecond := open()
	defer closeSecond()
	again := confirm(t, address, id, sandbox.TokenVisa, "confirm")
	if !again.replayed || first.status != http.StatusOK || fmt.Sprint(again.body) != fmt.Sprint(first.body) {
		t.Errorf("after the restart the repeat got %+v, before %+v", again, first)
	}
	select {
	case event := <-taken:
		var object struct {
			ID       string            `json:"id"`
			Metadata map[string]string `json:"metadata"`
		}
		if err := json.Unmarshal(event.Data.Raw, &object); err != nil || event.Type != "payment_intent.succeeded" || object.ID != id || object.Metadata["saga_id"] != "sga_1" {
			t.Errorf("the webhook is %s about %+v, %v", event.Type, object, err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the webhook was not sent again")
	}
}

// The objects fit Stripe's own OpenAPI document.
func TestObjectsFitStripesDocument(t *testing.T) {
	t.Parallel()
	loader := openapi3.NewLoader()
	document, err := loader.LoadFromData(embedded.OpenAPISpec)
	if err != nil {
		t.Fatal(err)
	}
	fits := func(schema string, body any) {
		t.Helper()
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var plain any
		if err := json.NewDecoder(bytes.NewReader(encoded)).Decode(&plain); err != nil {
			t.Fatal(err)
		}
		if err := document.Components.Schemas[schema].Value.VisitJSON(plain); err != nil {
			t.Errorf("%s: %v", schema, err)
		}
	}
	address := sandboxtest.Start(t, nil)
	made := create(t, address, "")
	fits("payment_intent", made.body)
	fits("error", confirm(t, address, made.text("id"), sandbox.TokenDeclined, "").body)
	fits("payment_intent", confirm(t, address, made.text("id"), sandbox.TokenVisa, "").body)
	refund := ask(t, http.MethodPost, address+"/v1/refunds", "", url.Values{"payment_intent": {made.text("id")}, "amount": {"5"}})
	fits("refund", refund.body)
	list := ask(t, http.MethodGet, address+"/v1/payment_intents?limit=1", "", nil)
	items, _ := list.body["data"].([]any)
	if len(items) != 1 {
		t.Fatalf("the list is %+v", list.body)
	}
	fits("payment_intent", items[0])
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	address := sandboxtest.Start(t, nil)
	var made []string
	for range 5 {
		made = append(made, create(t, address, "").text("id"))
	}
	var listed []string
	for after, more := "", true; more; {
		page := ask(t, http.MethodGet, address+"/v1/payment_intents?limit=2&starting_after="+after, "", nil)
		items, _ := page.body["data"].([]any)
		for _, item := range items {
			after = reply{body: item.(map[string]any)}.text("id")
			listed = append(listed, after)
		}
		more, _ = page.body["has_more"].(bool)
	}
	if len(listed) != len(made) {
		t.Fatalf("listed %v of %v", listed, made)
	}
	seen := map[string]bool{}
	for _, id := range listed {
		seen[id] = true
	}
	for _, id := range made {
		if !seen[id] {
			t.Errorf("%s is not listed", id)
		}
	}
	if got := ask(t, http.MethodGet, address+"/v1/payment_intents?limit=0", "", nil); got.status != http.StatusBadRequest {
		t.Errorf("a page of nothing got %+v", got)
	}
}

func TestAServerRunsUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err := sandbox.Run(ctx, "127.0.0.1:0", sandbox.Config{Path: filepath.Join(t.TempDir(), "ledger"), SecretKey: "sk", Log: slog.New(slog.DiscardHandler)})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := sandbox.Open(sandbox.Config{}); err == nil {
		t.Error("a sandbox without a key opened")
	}
}
