package order_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/order"
)

func TestMain(m *testing.M) { kittest.Main(m) }

// unhurried are limits that a loaded machine does not break by accident.
func unhurried() order.Config {
	return order.Config{
		Budget: 25 * time.Second, Lease: 10 * time.Second, Renew: time.Second, Sweep: 100 * time.Millisecond, Forward: time.Minute, Hold: 10 * time.Minute,
		Provider: 15 * time.Second, Drain: 5 * time.Second, Keep: 7 * 24 * time.Hour,
		AfterSale: order.AfterSale{Tasks: 100 * time.Millisecond, Archive: time.Hour, ArchiveAfter: time.Hour}, CustomerKey: secret.New(strings.Repeat("ab", 32)),
	}
}

// deadly are limits for sagas that lose their holders.
func deadly() order.Config {
	config := unhurried()
	config.Lease, config.Renew = time.Second, 200*time.Millisecond
	return config
}

type shop struct {
	*kittest.Service
	*street
	t *testing.T
}

func openShop(t *testing.T, config order.Config, options ...kittest.Option) *shop {
	t.Helper()
	service := kittest.Start(t, order.Definition().With(kit.WithConfig(config, order.New)), options...)
	street := newStreet()
	street.open(t, service)
	return &shop{Service: service, street: street, t: t}
}

// answer is an HTTP answer that was read to its end.
type answer struct {
	status                               int
	location, retry, contentType, caches string
	body                                 string
}

func (a answer) String() string {
	return fmt.Sprintf("%d %s %s %s", a.status, a.contentType, a.location, a.body)
}

func (a answer) order(t *testing.T) contract.Order {
	t.Helper()
	var o contract.Order
	if err := json.Unmarshal([]byte(a.body), &o); err != nil {
		t.Fatalf("%s is not an order: %v", a, err)
	}
	return o
}

// problem gives the code and the members of a problem document.
func (a answer) problem(t *testing.T) (string, map[string]any) {
	t.Helper()
	members := map[string]any{}
	if err := json.Unmarshal([]byte(a.body), &members); err != nil || a.contentType != "application/problem+json" {
		t.Fatalf("%s is not a problem document: %v", a, err)
	}
	name, _ := members["type"].(string)
	return name[len("https://meridian.store/problems/"):], members
}

// ask sends a request; unlike kittest's Do it may be called from any goroutine.
func (s *shop) ask(method, path string, in any, headers ...string) (answer, error) {
	header := map[string]string{}
	for i := 0; i+1 < len(headers); i += 2 {
		header[headers[i]] = headers[i+1]
	}
	request := httpclient.Request{Method: method, URL: s.URL + path, Header: header, Body: in}
	response, err := request.Send(context.Background())
	return answer{
		status: response.Status, location: response.Header.Get("Location"), retry: response.Header.Get("Retry-After"),
		contentType: response.Header.Get("Content-Type"),
		caches:      response.Header.Get("Cache-Control"), body: string(response.Body),
	}, err
}

func (s *shop) must(method, path string, in any, headers ...string) answer {
	s.t.Helper()
	got, err := s.ask(method, path, in, headers...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

var dublin = contract.Address{Name: "Ada Quiet", Line1: "1 Hidden Lane", City: "Dublin", Country: "IE"}

const email = "ada.quiet@example.com"

func paying(token string) order.Request {
	return order.Request{Payment: order.Means{Token: token}, Email: email, ShippingAddress: dublin, ShippingMethod: "standard"}
}

func (s *shop) buy(ref, key string, request order.Request) answer {
	s.t.Helper()
	return s.must(http.MethodPost, "/api/v1/checkout", request, contract.HeaderCartID, ref, contract.HeaderIdempotencyKey, key)
}

// insist repeats a checkout as a patient client does, until its answer is final.
func (s *shop) insist(ref, key string, request order.Request) (answer, error) {
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		got, err := s.ask(http.MethodPost, "/api/v1/checkout", request, contract.HeaderCartID, ref, contract.HeaderIdempotencyKey, key)
		if err == nil && got.status != http.StatusAccepted && got.status < http.StatusInternalServerError {
			return got, nil
		}
		select {
		case <-deadline.C:
			return got, errors.Join(fmt.Errorf("still %s", got), err)
		case <-ticker.C:
		}
	}
}

// sagaOf finds the saga of an order, and how often it changed hands.
func (s *shop) sagaOf(orderID string) (id, state string, epoch int64) {
	s.t.Helper()
	row := s.DB.QueryRow(s.t.Context(), `SELECT id, state, epoch FROM sagas WHERE crdb_region = ANY($1) AND order_id = $2`, s.homes(), orderID)
	if err := row.Scan(&id, &state, &epoch); err != nil {
		s.t.Fatalf("the saga of %s: %v", orderID, err)
	}
	return id, state, epoch
}

func (s *shop) homes() []string {
	var names []string
	for _, region := range s.Regions {
		names = append(names, region.Name)
	}
	return names
}

func (s *shop) count(sql string, args ...any) int {
	s.t.Helper()
	var n int
	if err := s.DB.QueryRow(s.t.Context(), sql, args...).Scan(&n); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	return n
}
