package identity

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestMain(m *testing.M) { kittest.Main(m) }

const goodPassword = "a long walk by the sea"

// clock is moved by the test.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// shop is the service alone.
type shop struct {
	*kittest.Service
	clock *clock
}

func openShop(t *testing.T, options ...kittest.Option) shop {
	t.Helper()
	c := &clock{}
	definition := Definition().With(kit.Configured(func(base *kit.Base, config Config) (*Service, error) {
		config.sweepEvery = 20 * time.Millisecond
		return New(base, config)
	}))
	return shop{kittest.Start(t, definition, append(options, kittest.WithNow(c.now))...), c}
}

// store gives the service's own tables to tests of SQL.
func (s shop) store() *store { return newStore(s.DB, s.Regions) }

func emailOf(n int) string { return fmt.Sprintf("shopper-%d@example.test", n) }

// register makes an account that must be made.
func (s shop) register(t *testing.T, email string) Tokens {
	t.Helper()
	var tokens Tokens
	body := map[string]string{"email": email, "password": goodPassword, "name": "Ann Other"}
	want(t, s.Do(t, http.MethodPost, "/api/v1/auth/register", body, &tokens), http.StatusCreated)
	return tokens
}

func (s shop) login(t *testing.T, email, password string, headers ...map[string]string) (Tokens, *http.Response) {
	t.Helper()
	var tokens Tokens
	return tokens, s.Do(t, http.MethodPost, "/api/v1/auth/login", Credentials{Email: email, Password: password}, &tokens, headers...)
}

func (s shop) refresh(t *testing.T, token string, headers ...map[string]string) (Tokens, *http.Response) {
	t.Helper()
	var tokens Tokens
	response := s.Do(t, http.MethodPost, "/api/v1/auth/refresh", RefreshBody{token}, &tokens, headers...)
	return tokens, response
}

func bearing(tokens Tokens) map[string]string {
	return map[string]string{"Authorization": "Bearer " + tokens.AccessToken}
}

// want fails the test on another status.
func want(t *testing.T, response *http.Response, status int) *http.Response {
	t.Helper()
	if response.StatusCode != status {
		t.Fatalf("got %d, want %d: %+v", response.StatusCode, status, problemOf(t, response))
	}
	return response
}

// wantProblem fails the test on another status, code or field.
func wantProblem(t *testing.T, response *http.Response, status int, code contract.Code, field string) httpx.Problem {
	t.Helper()
	problem := problemOf(t, response)
	if response.StatusCode != status || problem.Code() != code || problem.Field != field {
		t.Fatalf("got %d %s field %q (%s), want %d %s field %q", response.StatusCode, problem.Code(), problem.Field, problem.Detail, status, code, field)
	}
	return problem
}

func problemOf(t *testing.T, response *http.Response) httpx.Problem {
	t.Helper()
	var problem httpx.Problem
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
		t.Fatalf("status %d: %v", response.StatusCode, err)
	}
	return problem
}

// fakeCart merges whatever guest cart it is asked to, and remembers.
type fakeCart struct {
	mu     sync.Mutex
	down   bool
	merged map[string]string
	left   []contract.SKUCount
}

func (f *fakeCart) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var asked contract.CartMergeRequest
	if r.Method != http.MethodPost || r.URL.Path != "/internal/v1/carts/merge" || json.NewDecoder(r.Body).Decode(&asked) != nil || f.down {
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	f.merged[r.Header.Get(contract.HeaderCartID)] = asked.UserID
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(contract.CartMerge{Merged: true, LeftOut: f.left}) // a caller that has gone is the caller's affair
}

func (f *fakeCart) set(change func(*fakeCart)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}
