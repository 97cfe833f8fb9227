package journeys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions/status"
)

// shop is a running copy: the real binary, three regions, and the edge.
type shop struct {
	binary, home string
	// env is added to the environment of every verb, and so to that of what `up` starts.
	env    []string
	status status.Shop
}

var (
	binaryOnce sync.Once
	binaryPath string
	binaryErr  error

	shopOnce  sync.Once
	sharedOne *shop
	scratch   string
)

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "meridian-journeys-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	enginetest.Main(m, func() error {
		var stopped error
		if sharedOne != nil {
			stopped = sharedOne.run(context.Background(), io.Discard, "down")
		}
		stopped = errors.Join(stopped, closeDrills())
		return errors.Join(stopped, os.RemoveAll(scratch))
	})
}

// binary builds the program once for all journeys.
func binary(t *testing.T) string {
	t.Helper()
	binaryOnce.Do(func() {
		binaryPath = filepath.Join(scratch, "meridian")
		build := exec.CommandContext(context.Background(), "go", "build", "-o", binaryPath, "..")
		if output, err := build.CombinedOutput(); err != nil {
			binaryErr = fmt.Errorf("build meridian: %w\n%s", err, output)
		}
	})
	if binaryErr != nil {
		t.Fatal(binaryErr)
	}
	return binaryPath
}

// openShop gives the copy that all journeys share; it is started by the first and seeded with a small catalog.
func openShop(t *testing.T) *shop {
	t.Helper()
	program := binary(t)
	if err := closeDrills(); err != nil {
		t.Fatalf("close the copy for drills: %v", err)
	}
	shopOnce.Do(func() {
		s := &shop{binary: program, home: filepath.Join(scratch, "shared")}
		s.up(t, enginetest.Ports(t, 100))
		s.must(t, "seed", "--products", "120")
		sharedOne = s
	})
	if sharedOne == nil {
		t.Fatal("the shared shop did not start; the first journey says why")
	}
	return sharedOne
}

// up starts the copy and returns when it is ready.
func (s *shop) up(t *testing.T, basePort int, more ...string) {
	t.Helper()
	s.must(t, append([]string{"up", "--detach", "--base-port", strconv.Itoa(basePort)}, more...)...)
	s.refresh(t)
	if !s.status.Ready {
		t.Fatalf("up returned before everything was ready: %+v", s.status)
	}
}

func (s *shop) refresh(t *testing.T) {
	t.Helper()
	var out bytes.Buffer
	err := s.run(t.Context(), &out, "status", "--json")
	if decode := json.Unmarshal(out.Bytes(), &s.status); decode != nil {
		t.Fatalf("status --json: %v (%v): %s", decode, err, out.String())
	}
}

// run runs a verb of the binary against the copy's home.
func (s *shop) run(ctx context.Context, out io.Writer, args ...string) error {
	command := exec.CommandContext(ctx, s.binary, append([]string{"--home", s.home}, args...)...)
	command.Env = append(os.Environ(), s.env...)
	var problems bytes.Buffer
	command.Stdout, command.Stderr = out, &problems
	if err := command.Run(); err != nil {
		return fmt.Errorf("meridian %s: %w: %s", strings.Join(args, " "), err, problems.String())
	}
	return nil
}

func (s *shop) must(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 3*time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := s.run(ctx, &out, args...); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return strings.TrimSpace(out.String())
}

// token gives an Authorization header of a role.
func (s *shop) token(t *testing.T, role string) map[string]string {
	t.Helper()
	return map[string]string{"Authorization": "Bearer " + s.must(t, "token", "--role", role)}
}

// databaseURL gives the address of a service's database as its owner, who sees what the services wrote.
func (s *shop) databaseURL(t *testing.T, service string) string {
	t.Helper()
	home, err := launcher.OpenHome(s.home)
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := launcher.SQLOwner(home)
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(owner)
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/meridian_" + service
	return address.String()
}

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends one request through the edge, standing at a location, and reads a 2xx body into out when out is not nil.
func (s *shop) ask(t *testing.T, location, method, path string, in, out any, headers ...map[string]string) answer {
	t.Helper()
	header := map[string]string{"X-Edge-Location": location}
	for _, set := range headers {
		maps.Copy(header, set)
	}
	request := httpclient.Request{Method: method, URL: s.status.Edge.URL + path, Header: header, Body: in}
	got, err := exchange(t.Context(), request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if out != nil && got.status < 300 {
		if err := json.Unmarshal(got.body, out); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, got.body)
		}
	}
	return got
}

// exchange sends a request and returns its answer, whatever its status.
func exchange(ctx context.Context, request httpclient.Request) (answer, error) {
	got, err := request.Send(ctx)
	return answer{got.Status, got.Header, got.Body}, err
}

// want fails the test when an answer has another status.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d, want %d: %s", a.status, status, a.body)
	}
	return a
}
