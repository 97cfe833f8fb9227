package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/meridian-store/meridian/kit/httpclient"
)

const (
	// apiVersion is the version of Stripe's API whose shapes the sandbox has.
	apiVersion     = "2026-03-25.dahlia"
	deliverTimeout = 5 * time.Second
	firstRetry     = 500 * time.Millisecond
	lastRetry      = time.Minute
	// giveUpAfter is how long Stripe goes on.
	giveUpAfter = 3 * 24 * time.Hour
	senders     = 4
	// lookEvery is how often the ledger is looked through for retries and for keys that are too old.
	lookEvery = 250 * time.Millisecond
	pruneAt   = 1000
)

// record writes an event beside the change that it tells of, so that it is sent at least once, whatever happens then.
func (s *Server) record(books books, call request, kind string, object any) error {
	if s.config.Webhook.URL == "" {
		return nil
	}
	now := s.config.Now()
	made := event{
		ID: newID("evt", now), Object: "event", APIVersion: apiVersion, Created: now.Unix(), Data: eventData{object}, PendingWebhooks: 1,
		Request: eventRequest{ID: newID("req", now)}, Type: kind,
	}
	if call.key != "" {
		made.Request.IdempotencyKey = &call.key
	}
	return books.put(bucketEvents, made.ID, made)
}

// Sign makes the Stripe-Signature header of a payload.
func Sign(payload []byte, secret string, at time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.", at.Unix())
	mac.Write(payload)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

// sender delivers events until each was taken.
type sender struct {
	ledger *ledger
	config Config
	http   *http.Client
	news   chan struct{}
	done   sync.WaitGroup

	mu sync.Mutex
	// waiting holds when an event is due that was refused; sending those under way.
	waiting map[string]retry
	sending map[string]bool
}

type retry struct {
	at     time.Time
	pauses *backoff.ExponentialBackOff
	since  time.Time
}

func newRetry(now time.Time) retry {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier, pauses.RandomizationFactor = firstRetry, lastRetry, 2, 0
	pauses.Reset()
	return retry{since: now, pauses: pauses}
}

func startSender(ctx context.Context, books *ledger, config Config) *sender {
	s := &sender{
		ledger: books, config: config, news: make(chan struct{}, 1), waiting: map[string]retry{}, sending: map[string]bool{},
		http: httpclient.New(httpclient.Options{Timeout: deliverTimeout, MaxIdleConnsPerHost: senders}),
	}
	s.done.Go(func() { s.run(ctx) })
	return s
}

func (s *sender) wake() {
	select {
	case s.news <- struct{}{}:
	default: // it is awake already
	}
}

func (s *sender) wait() {
	s.done.Wait()
	s.http.CloseIdleConnections()
}

// run offers what is due to a few deliveries at a time. An event that nobody takes does not hold the others up.
func (s *sender) run(ctx context.Context) {
	tokens := make(chan struct{}, senders)
	var deliveries sync.WaitGroup
	defer deliveries.Wait()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	s.wake()
	for passes := 0; ; passes++ {
		select {
		case <-ctx.Done():
			return
		case <-s.news:
		case <-ticker.C:
		}
		if passes%pruneAt == pruneAt-1 {
			s.note("forget old keys", s.forgetKeys())
		}
		due, err := s.due()
		s.note("read the events", err)
		for _, next := range due {
			select {
			case tokens <- struct{}{}:
			case <-ctx.Done():
				return
			}
			deliveries.Go(func() {
				defer func() { <-tokens }()
				s.deliver(ctx, next)
			})
		}
	}
}

type pending struct {
	id   string
	data []byte
}

// due takes the events that are to be sent now, oldest first.
func (s *sender) due() ([]pending, error) {
	var due []pending
	now := s.config.Now()
	err := s.ledger.read(func(books books) error {
		return books.oldestFirst(bucketEvents, func(id string, data []byte) (bool, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !s.sending[id] && !now.Before(s.waiting[id].at) {
				s.sending[id] = true
				due = append(due, pending{id, bytes.Clone(data)})
			}
			return len(due) < largestPage, nil
		})
	})
	return due, err
}

func (s *sender) deliver(ctx context.Context, next pending) {
	err := s.post(ctx, next.data)
	gone := err == nil
	s.mu.Lock()
	last, again := s.waiting[next.id]
	if !again {
		last = newRetry(s.config.Now())
	}
	if !gone && s.config.Now().Sub(last.since) > giveUpAfter {
		s.config.Log.WarnContext(ctx, "A webhook was given up.", "event_id", next.id, "error", err.Error())
		gone = true
	}
	s.mu.Unlock()
	if gone {
		dropping := s.ledger.change(func(books books) error { return books.drop(bucketEvents, next.id) })
		s.note("drop a delivered event", dropping)
		gone = dropping == nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sending, next.id)
	delete(s.waiting, next.id)
	if !gone {
		last.at = s.config.Now().Add(last.pauses.NextBackOff())
		s.waiting[next.id] = last
	}
}

func (s *sender) post(ctx context.Context, data []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.Webhook.URL, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Stripe-Signature", Sign(data, s.config.Webhook.Secret, s.config.Now()))
	response, err := s.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, bodyLimit)); err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook was answered with %d", response.StatusCode)
	}
	return nil
}

// forgetKeys drops idempotency keys that no longer count.
func (s *sender) forgetKeys() error {
	oldest := s.config.Now().Add(-keyLife).Unix()
	return s.ledger.change(func(books books) error {
		var old []string
		err := books.oldestFirst(bucketKeys, func(key string, data []byte) (bool, error) {
			var known kept
			if err := json.Unmarshal(data, &known); err != nil {
				return false, err
			}
			if known.At < oldest {
				old = append(old, key)
			}
			return true, nil
		})
		for _, key := range old {
			if err == nil {
				err = books.drop(bucketKeys, key)
			}
		}
		return err
	})
}

func (s *sender) note(what string, err error) {
	if err != nil {
		s.config.Log.Error("The payment sandbox's ledger failed.", "doing", what, slog.String("error", err.Error()))
	}
}
