package journeys_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/sandbox/sandboxtest"
	"github.com/meridian-store/meridian/regions/cluster"
	"github.com/meridian-store/meridian/regions/schema"
)

const (
	standaloneRegion = "us-east"
	// stopLimit bounds the end of a service that has nothing under way.
	stopLimit = 20 * time.Second
)

// ownSettings returns the environment that each service needs beside what every service needs.
func (p *production) ownSettings() map[string][]settings {
	return map[string][]settings{
		contract.ServiceCatalog:   {p.sql, p.broker},
		contract.ServiceCart:      {p.sql, p.broker, p.redis},
		contract.ServiceInventory: {p.sql, p.broker}, // Redis is optional
		contract.ServiceOrder:     {p.sql, p.broker, p.given("MERIDIAN_CUSTOMER_KEY", p.secret)},
		contract.ServicePayment:   {p.sql, p.broker, p.payment},
		contract.ServiceIdentity: {
			p.sql, p.broker, p.redis,
			p.given("MERIDIAN_SIGNING_SEED", p.secret), p.given("MERIDIAN_DIRECTORY_KEY", p.secret),
		},
		contract.ServiceImports: {p.sql},
		contract.ServiceMirror:  {p.broker},
		contract.ServiceSearch:  {p.sql, p.broker, p.redis, p.search},
		// Cloudflare is not asked before there is something to purge.
		contract.ServicePurge: {
			p.broker, p.given("MERIDIAN_CLOUDFLARE_URL", "http://127.0.0.1:1"),
			p.given("MERIDIAN_CLOUDFLARE_TOKEN", "token"), p.given("MERIDIAN_CLOUDFLARE_ZONE", "zone"),
		},
		contract.ServiceGateway: {p.given("MERIDIAN_EDGE_SECRET", p.secret)},
	}
}

// Each service is deployed alone: from the production program, as the only Meridian process, with the engines and its
// own environment.
//
// A service is ready when its own engines answer. The gateway is the exception: its route table names services
// without which it has nothing to answer with (`needs`), and so it lives and reports at /ready what it waits for. Were
// it ready alone, a load balancer would send shoppers to a region that can show them no product, and away from one
// that can.
func TestService_V1StartsAloneFromTheProductionBinary(t *testing.T) {
	p := newProduction(t)
	p.migrate(t)
	needs := p.ownSettings()
	if names := slices.Sorted(maps.Keys(needs)); !slices.Equal(names, slices.Sorted(slices.Values(cluster.Names()))) {
		t.Fatalf("the settings are those of %v, and the services are %v", names, cluster.Names())
	}
	for _, name := range cluster.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := p.start(t, name, needs[name])
			kittest.Eventually(t, func() error { return service.answers(t, "/health", http.StatusOK) })
			if name == contract.ServiceGateway {
				service.waitsForPeers(t)
			} else {
				kittest.Eventually(t, func() error { return service.answers(t, "/ready", http.StatusOK) })
			}
			service.stop(t)
		})
	}
	t.Run("audit", func(t *testing.T) {
		t.Parallel()
		p.audit(t)
	})
}

// production is the production program and the engines for its services.
type production struct {
	binary, secret, jwks, sandbox string
	adminURL, consul              string
	brokers                       []string
}

// settings returns variables of a service's environment.
type settings func(t *testing.T, service string) []string

func newProduction(t *testing.T) *production {
	t.Helper()
	seed := make([]byte, 32)
	rand.Read(seed)
	signer, err := auth.NewSigner(standaloneRegion, seed)
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := json.Marshal(auth.KeySet{Keys: []auth.Key{signer.PublicKey()}})
	if err != nil {
		t.Fatal(err)
	}
	return &production{
		binary: buildProduction(t), secret: hex.EncodeToString(seed), jwks: string(jwks),
		sandbox:  sandboxtest.Start(t, nil),
		adminURL: enginetest.Postgres(t).SuperuserURL(), consul: enginetest.Consul(t), brokers: enginetest.Broker(t),
	}
}

// buildProduction builds the program as `make build-production` does.
func buildProduction(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "meridian-production")
	build := exec.CommandContext(t.Context(),
		"go", "build", "-tags", "production", "-trimpath", "-ldflags", "-s -w", "-o", path, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, output)
	}
	return path
}

// migrate makes every service's database. All roles have the same password.
func (p *production) migrate(t *testing.T) {
	t.Helper()
	environment := []string{"MERIDIAN_SQL_PASSWORD_AUDIT=" + p.secret}
	for _, name := range cluster.Names() {
		environment = append(environment, "MERIDIAN_SQL_PASSWORD_"+strings.ToUpper(name)+"="+p.secret)
	}
	p.run(t, environment, "migrate", "--admin-url", p.adminURL)
}

// audit looks at the new shop's books: none is there, and so none is wrong.
func (p *production) audit(t *testing.T) {
	t.Helper()
	environment := append(p.payment(t, ""), "MERIDIAN_SQL_AUDIT_URL="+p.sqlURL(t, "audit"))
	out := p.run(t, environment, "audit", "--json", "--settle", "0s")
	var report struct {
		OK bool `json:"ok"`
	}
	if err := json.Unmarshal(out, &report); err != nil || !report.OK {
		t.Errorf("the audit reports %s (%v)", out, err)
	}
}

// run runs a verb that ends by itself, with no other environment, and returns what it prints.
func (p *production) run(t *testing.T, environment []string, args ...string) []byte {
	t.Helper()
	var problems bytes.Buffer
	command := exec.CommandContext(t.Context(), p.binary, args...)
	command.Env, command.Stderr = environment, &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", args[0], err, problems.String())
	}
	return out
}

func (*production) given(name, value string) settings {
	return func(*testing.T, string) []string { return []string{name + "=" + value} }
}

func (p *production) sql(t *testing.T, service string) []string {
	return []string{"MERIDIAN_SQL_URL_" + strings.ToUpper(service) + "=" + p.sqlURL(t, service)}
}

// sqlURL returns the address of a service's database as the service's own role.
func (p *production) sqlURL(t *testing.T, service string) string {
	t.Helper()
	address, err := url.Parse(p.adminURL)
	if err != nil {
		t.Fatal("the SQL server's address cannot be parsed") // the error would show the password
	}
	address.User = url.UserPassword(schema.Database(service), p.secret)
	address.Path = "/" + schema.Database(service)
	return address.String()
}

func (p *production) broker(*testing.T, string) []string {
	return []string{"MERIDIAN_BROKERS=" + strings.Join(p.brokers, ",")}
}

func (*production) redis(t *testing.T, _ string) []string {
	address, password := enginetest.Redis(t)
	return []string{"MERIDIAN_REDIS_ADDRESS=" + address, "MERIDIAN_REDIS_PASSWORD=" + password}
}

func (*production) search(t *testing.T, _ string) []string {
	address, key := enginetest.Search(t)
	return []string{"MERIDIAN_TYPESENSE_URL=" + address, "MERIDIAN_TYPESENSE_KEY=" + key}
}

func (p *production) payment(*testing.T, string) []string {
	return []string{
		"MERIDIAN_PAYMENT_PROVIDER=sandbox", "MERIDIAN_PAYMENT_URL=" + p.sandbox,
		"MERIDIAN_PAYMENT_KEY=" + sandboxtest.SecretKey, "MERIDIAN_PAYMENT_WEBHOOK_SECRET=" + sandboxtest.WebhookSecret,
	}
}

// standalone is a running service.
type standalone struct {
	url     string
	process *os.Process
	log     bytes.Buffer // to be read after ended
	ended   chan struct{}
	err     error // of the process, after ended
}

// start starts a service with no environment but its own. Its namespace is its own too, so that it finds no other
// service in Consul.
func (p *production) start(t *testing.T, name string, own []settings) *standalone {
	t.Helper()
	port := enginetest.Ports(t, 1)
	s := &standalone{url: fmt.Sprintf("http://127.0.0.1:%d", port), ended: make(chan struct{})}
	command := exec.CommandContext(context.WithoutCancel(t.Context()),
		p.binary, "service", name, "--region", standaloneRegion)
	command.Env = []string{
		"MERIDIAN_PORT_" + strings.ToUpper(name) + "=" + strconv.Itoa(port), "MERIDIAN_CONSUL_ADDRESS=" + p.consul,
		"MERIDIAN_JWKS=" + p.jwks, "MERIDIAN_INTERNAL_SECRET=" + p.secret,
		"MERIDIAN_NAMESPACE=" + enginetest.Prefix() + "-",
	}
	for _, more := range own {
		command.Env = append(command.Env, more(t, name)...)
	}
	command.Stdout, command.Stderr = &s.log, &s.log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s.process = command.Process
	go func() {
		s.err = command.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = s.process.Kill() // it has ended when the test passed
		<-s.ended
		if t.Failed() {
			t.Logf("the log of %s:\n%s", name, s.log.String())
		}
	})
	return s
}

// get asks once. It fails the test at once when the process has ended.
func (s *standalone) get(t *testing.T, path string) (status int, body string, err error) {
	t.Helper()
	select {
	case <-s.ended:
		t.Fatalf("the process ended by itself: %v", s.err)
	default:
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := httpclient.New(httpclient.Options{Timeout: time.Second})
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(response.Body)
	return response.StatusCode, text.String(), err
}

// answers is nil when a path answers with a status.
func (s *standalone) answers(t *testing.T, path string, want int) error {
	t.Helper()
	status, body, err := s.get(t, path)
	if err == nil && status != want {
		err = fmt.Errorf("%s answers %d: %s", path, status, body)
	}
	return err
}

// waitsForPeers checks that /ready names what the service waits for.
func (s *standalone) waitsForPeers(t *testing.T) {
	t.Helper()
	status, body, err := s.get(t, "/ready")
	var answer struct {
		Status string            `json:"status"`
		Failed map[string]string `json:"failed"`
	}
	if decode := json.Unmarshal([]byte(body), &answer); err != nil || decode != nil {
		t.Fatalf("/ready: %v, %v: %s", err, decode, body)
	}
	if status != http.StatusServiceUnavailable || len(answer.Failed) == 0 {
		t.Errorf("/ready of a gateway without a catalog answers %d: %s", status, body)
	}
	t.Logf("/ready of a gateway alone answers %d: %s", status, body)
}

// stop asks the process to end in order.
func (s *standalone) stop(t *testing.T) {
	t.Helper()
	if err := s.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-s.ended:
		if s.err != nil {
			t.Errorf("after SIGTERM: %v", s.err)
		}
	case <-limit.C:
		t.Errorf("still runs %s after SIGTERM", stopLimit)
	}
}
