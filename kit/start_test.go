package kit_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/replication/outbox"
)

func TestMain(m *testing.M) { kittest.Main(m) }

// echo is a service with one of everything.
type echo struct {
	applied atomic.Int64
	failing atomic.Bool
	release chan struct{}
	entered chan struct{}
	client  *httpx.Client
	writer  *outbox.Writer
	loops   []kit.Loop
}

type echoInput struct {
	Body struct {
		Word string `json:"word" maxLength:"5"`
	}
}

type echoOutput struct {
	Body struct {
		Word string `json:"word"`
	}
}

func (e *echo) definition() kit.Definition {
	return kit.Definition{
		Name: "echo", Redis: kit.Required, Broker: kit.Required,
		Schema: &sqldb.Schema{Migrations: outbox.Migrations(), RegionalByRow: outbox.Tables()},
		New: func(_ context.Context, base *kit.Base, _ kit.Lookup) (kit.Service, error) {
			e.client = base.Client
			box := outbox.New(base)
			e.writer, e.loops = box.Writer, append(box.Loops(), base.Consume(e.apply, contract.TopicOrders))
			base.Ready("mood", func(context.Context) error {
				if e.failing.Load() {
					return errors.New("in a mood")
				}
				return nil
			})
			return e, nil
		},
	}
}

func (e *echo) Routes(api *httpx.API) {
	httpx.Handle(api, huma.Operation{OperationID: "echo", Method: http.MethodPost, Path: "/api/v1/echo"}, e.say)
	httpx.Handle(api, huma.Operation{OperationID: "admin", Method: http.MethodGet, Path: "/api/v1/admin/echo",
		Security: httpx.ForRoles(contract.RoleAdmin)}, e.nothing)
	httpx.Handle(api, huma.Operation{OperationID: "fail", Method: http.MethodGet, Path: "/api/v1/fail"}, e.fail)
	httpx.Handle(api, huma.Operation{OperationID: "panic", Method: http.MethodGet, Path: "/api/v1/panic"}, e.panics)
	httpx.Handle(api, huma.Operation{OperationID: "slow", Method: http.MethodGet, Path: "/api/v1/slow"}, e.slow)
	httpx.Handle(api, huma.Operation{OperationID: "inner", Method: http.MethodGet, Path: "/internal/v1/inner"}, e.nothing)
}

func (e *echo) Loops() []kit.Loop { return e.loops }

func (e *echo) say(_ context.Context, input *echoInput) (*echoOutput, error) {
	output := &echoOutput{}
	output.Body.Word = input.Body.Word
	return output, nil
}

func (e *echo) nothing(context.Context, *struct{}) (*struct{}, error) { return nil, nil }

func (e *echo) fail(context.Context, *struct{}) (*struct{}, error) {
	return nil, errors.New("a secret cause")
}

func (e *echo) panics(context.Context, *struct{}) (*struct{}, error) { panic("a secret panic") }

func (e *echo) slow(context.Context, *struct{}) (*struct{}, error) {
	e.entered <- struct{}{}
	<-e.release
	return nil, nil
}

func (e *echo) apply(context.Context, contract.Event) error {
	if e.applied.Add(1) == 1 {
		return errors.New("not at first")
	}
	return nil
}

func problemOf(t *testing.T, response *http.Response) httpx.Problem {
	t.Helper()
	var problem httpx.Problem
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); got != httpx.ProblemContentType {
		t.Errorf("content type %q", got)
	}
	if problem.TraceID == "" || response.Header.Get("traceparent") == "" {
		t.Error("no trace")
	}
	return problem
}

func TestAServiceAnswersErrorsAsProblems(t *testing.T) {
	t.Parallel()
	s := kittest.Start(t, (&echo{}).definition())
	cases := []struct {
		name, method, path string
		body               any
		header             map[string]string
		status             int
		code               contract.Code
		field              string
	}{
		{"field too long", "POST", "/api/v1/echo", map[string]string{"word": "too long"}, nil, 400, contract.CodeInvalid, "word"},
		{"field missing", "POST", "/api/v1/echo", map[string]string{}, nil, 400, contract.CodeInvalid, "word"},
		{"unknown field", "POST", "/api/v1/echo", map[string]string{"word": "a", "wrod": "b"}, nil, 400, contract.CodeInvalid, "wrod"},
		{"not JSON", "POST", "/api/v1/echo", []byte("{"), nil, 400, contract.CodeInvalid, "body"},
		{"no such path", "GET", "/api/v1/nothing", nil, nil, 404, contract.CodeNotFound, ""},
		{"no token", "GET", "/api/v1/admin/echo", nil, nil, 401, contract.CodeUnauthorized, ""},
		{"bad token", "GET", "/api/v1/admin/echo", nil, map[string]string{"Authorization": "Bearer x"}, 401, contract.CodeUnauthorized, ""},
		{"wrong role", "GET", "/api/v1/admin/echo", nil, map[string]string{"Authorization": s.Token(t, contract.RoleShopper)}, 403, contract.CodeForbidden, ""},
		{"internal error", "GET", "/api/v1/fail", nil, nil, 500, contract.CodeInternal, ""},
		{"panic", "GET", "/api/v1/panic", nil, nil, 500, contract.CodeInternal, ""},
		{"internal path", "GET", "/internal/v1/inner", nil, nil, 404, contract.CodeNotFound, ""},
	}
	for _, c := range cases {
		response := s.Do(t, c.method, c.path, c.body, nil, c.header)
		problem := problemOf(t, response)
		if response.StatusCode != c.status || problem.Code() != c.code || problem.Field != c.field {
			t.Errorf("%s: %d %s field %q, want %d %s field %q", c.name, response.StatusCode, problem.Code(), problem.Field, c.status, c.code, c.field)
		}
		if c.status == 500 && problem.Detail != "" {
			t.Errorf("%s: shows %q", c.name, problem.Detail)
		}
	}
	for path, header := range map[string]map[string]string{"/api/v1/admin/echo": {"Authorization": s.Token(t, contract.RoleAdmin)}, "/internal/v1/inner": s.Internal()} {
		if response := s.Do(t, "GET", path, nil, nil, header); response.StatusCode != http.StatusNoContent {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
}

func TestReadinessHealthAndMetrics(t *testing.T) {
	t.Parallel()
	e := &echo{}
	s := kittest.Start(t, e.definition())
	status := func(path string) int { return s.Do(t, "GET", path, nil, nil).StatusCode }
	if status("/health") != 200 || status("/ready") != 200 || status("/metrics") != 200 || status("/openapi.json") != 200 {
		t.Fatal("a fresh service is not ready")
	}
	e.failing.Store(true)
	if status("/ready") != 503 || status("/health") != 200 {
		t.Fatal("a failing check does not show in /ready alone")
	}
}

func TestEventsAreSentInOrderAndAppliedUntilTheySucceed(t *testing.T) {
	t.Parallel()
	e := &echo{}
	s := kittest.Start(t, e.definition())
	for version := int64(1); version <= 3; version++ {
		err := s.DB.InTx(t.Context(), func(tx pgx.Tx) error {
			return e.writer.Append(t.Context(), tx, outbox.Draft{Topic: contract.TopicOrders, Type: contract.OrderConfirmed, Aggregate: "ord_use_1", Version: version, Data: contract.OrderChange{}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	e.writer.Wake()
	last := int64(0)
	s.WaitEvent(t, contract.TopicOrders, func(event contract.Event) bool {
		if event.AggregateVersion != last+1 {
			t.Errorf("version %d after %d", event.AggregateVersion, last)
		}
		last = event.AggregateVersion
		return last == 3
	})
	kittest.Eventually(t, func() error {
		var left int
		if err := s.DB.QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE crdb_region = 'us-east'").Scan(&left); err != nil || left > 0 {
			return errors.Join(err, errors.New("the outbox is not empty"))
		}
		if e.applied.Load() != 4 { // three events, the first of them twice
			return errors.New("not all applied")
		}
		return nil
	})
}

func TestStopLetsRequestsUnderWayFinish(t *testing.T) {
	t.Parallel()
	e := &echo{release: make(chan struct{}), entered: make(chan struct{})}
	s := kittest.Start(t, e.definition())
	var wait sync.WaitGroup
	wait.Go(func() {
		if response := s.Do(t, "GET", "/api/v1/slow", nil, nil); response.StatusCode != http.StatusNoContent {
			t.Errorf("a request under way got %d", response.StatusCode)
		}
	})
	<-e.entered
	wait.Go(func() { s.Stop(t) })
	close(e.release)
	wait.Wait()
}

func TestCallsReachANeighbourAndCarryItsErrors(t *testing.T) {
	t.Parallel()
	e := &echo{}
	s := kittest.Start(t, e.definition())
	s.Neighbour(t, "shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(contract.HeaderInternal) != s.Env.InternalSecret.Current() {
			t.Error("the call lacks the internal secret")
		}
		problem := httpx.NewProblem(r.Context(), contract.Errorf(contract.CodeOutOfStock, "none left").With("skus", []string{"A"}))
		body, err := problem.MarshalJSON()
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", httpx.ProblemContentType)
		w.WriteHeader(problem.Status)
		if _, err := w.Write(body); err != nil {
			t.Error(err)
		}
	}))
	err := e.client.Do(t.Context(), httpx.Call{Service: "shop", Method: http.MethodPost, Path: "/buy"})
	var typed *contract.Error
	if !errors.As(err, &typed) || typed.Code != contract.CodeOutOfStock || typed.Details["skus"] == nil {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.client.Do(ctx, httpx.Call{Service: "nobody", Method: http.MethodGet, Path: "/"}); contract.CodeOf(err) != contract.CodeUnavailable {
		t.Fatalf("a missing neighbour: %v", err)
	}
}

func TestAServiceThatDrainsIsNotReadyAndStillAnswers(t *testing.T) {
	t.Parallel()
	e := &echo{}
	shop := kittest.Start(t, e.definition())
	if got := shop.Do(t, http.MethodPost, kit.DrainPath, nil, nil).StatusCode; got != http.StatusNotFound {
		t.Errorf("a stranger who asks for it is answered %d", got)
	}
	if got := shop.Do(t, http.MethodGet, "/ready", nil, nil).StatusCode; got != http.StatusOK {
		t.Errorf("before, /ready answers %d", got)
	}
	if got := shop.Do(t, http.MethodPost, kit.DrainPath, nil, nil, shop.Internal()).StatusCode; got != http.StatusNoContent {
		t.Errorf("draining is answered %d", got)
	}
	if got := shop.Do(t, http.MethodGet, "/ready", nil, nil).StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("afterwards, /ready answers %d", got)
	}
	var said echoOutput
	if got := shop.Do(t, http.MethodPost, "/api/v1/echo", map[string]string{"word": "still"}, &said.Body).StatusCode; got != http.StatusOK || said.Body.Word != "still" {
		t.Errorf("it answers %d, %q", got, said.Body.Word)
	}
}
