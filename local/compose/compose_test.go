// Package compose_test holds compose.yaml and the region files beside it together. No Docker is needed: the compose reference
// library reads the file as `docker compose` does.
package compose_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/regions"
)

const file = "../../compose.yaml"

var variable = regexp.MustCompile(`MERIDIAN_COMPOSE_[A-Z_]+`)

// marks gives every variable of compose.yaml a value that can be recognised.
func marks(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range variable.FindAllString(string(text), -1) {
		found[name] = "/marked/" + name
	}
	return found
}

func load(env map[string]string) (*types.Project, error) {
	var pairs []string
	for name, value := range env {
		pairs = append(pairs, name+"="+value)
	}
	options, err := cli.NewProjectOptions([]string{file}, cli.WithEnv(pairs), cli.WithProfiles([]string{"*"}))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

func project(t *testing.T) *types.Project {
	t.Helper()
	loaded, err := load(marks(t))
	if err != nil {
		t.Fatalf("compose.yaml is refused: %v", err)
	}
	return loaded
}

func TestEveryRegionHasEveryEngine(t *testing.T) {
	t.Parallel()
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	services := project(t).Services
	want := []string{"sql-certificates", "sql-owner"}
	for _, region := range all {
		for _, engine := range []string{"sql", "redis", "broker", "consul", "search"} {
			want = append(want, engine+"-"+region.Name)
		}
		node := services["sql-"+region.Name]
		if !slices.Contains(node.Command, "--locality=region="+region.Name) {
			t.Errorf("the SQL node of %s does not say where it is: %v", region.Name, node.Command)
		}
		if agent := services["consul-"+region.Name]; !slices.Contains(agent.Command, "-datacenter="+region.Name) {
			t.Errorf("the Consul of %s is not its datacenter: %v", region.Name, agent.Command)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(services)); !slices.Equal(got, want) {
		t.Errorf("compose.yaml has %v, want %v", got, want)
	}
}

func TestImagesArePinnedAndNothingIsOpenToTheNetwork(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`:v?\d+\.\d+(\.\d+)?(-alpine)?$`)
	for name, service := range project(t).Services {
		if !pinned.MatchString(service.Image) {
			t.Errorf("%s runs %s: name a version", name, service.Image)
		}
		if strings.HasPrefix(name, "search-") && !strings.HasPrefix(service.Image, "typesense/typesense:28.") {
			t.Errorf("%s runs %s; typesense-go v3 speaks to version 28", name, service.Image)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s opens port %s to %q", name, port.Published, port.HostIP)
			}
		}
		if service.NetworkMode == "host" && !strings.HasPrefix(name, "consul-") {
			t.Errorf("%s shares the host's network without need", name)
		}
	}
}

func TestSecretsComeFromTheEnvironmentAlone(t *testing.T) {
	t.Parallel()
	env := marks(t)
	secret := regexp.MustCompile(`PASSWORD|KEY|SECRET`)
	for name, service := range project(t).Services {
		for key, value := range service.Environment {
			if secret.MatchString(key) && (value == nil || !strings.HasPrefix(*value, "/marked/MERIDIAN_COMPOSE_")) {
				t.Errorf("%s: %s does not come from the environment", name, key)
			}
		}
		for _, word := range slices.Concat(service.Command, service.Entrypoint) {
			if strings.Contains(word, "/marked/MERIDIAN_COMPOSE_") {
				t.Errorf("%s: a secret is on the command line", name)
			}
		}
	}
	for name := range env {
		without := maps.Clone(env)
		delete(without, name)
		if _, err := load(without); err == nil || !strings.Contains(err.Error(), "make run-compose") {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// The region files are the shipped ones but for the engines, and those are where compose.yaml puts them.
func TestRegionFilesNameTheEnginesOfCompose(t *testing.T) {
	t.Parallel()
	shipped, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	composed, err := regions.Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	services := project(t).Services
	for i := range composed {
		region, engines := composed[i], composed[i].Engines
		region.Engines = shipped[i].Engines
		if diff := gocmp.Diff(shipped[i], region); diff != "" {
			t.Errorf("local/compose/%s.yaml differs from the shipped file in more than its engines:\n%s", region.Name, diff)
		}
		want := regions.Engines{
			SQL: published(services["sql-"+region.Name], 26257), Redis: published(services["redis-"+region.Name], 6379),
			Consul:  "127.0.0.1:" + option(services["consul-"+region.Name], "-http-port="),
			Brokers: []string{option(services["broker-"+region.Name], "--advertise-kafka-addr=")},
		}
		if diff := gocmp.Diff(want, engines); diff != "" {
			t.Errorf("%s: compose.yaml has its engines elsewhere:\n%s", region.Name, diff)
		}
		broker := services["broker-"+region.Name]
		if inside := option(broker, "--kafka-addr=0.0.0.0:"); !strings.HasSuffix(engines.Brokers[0], ":"+inside) || published(broker, port(inside)) != engines.Brokers[0] {
			t.Errorf("%s: its broker listens on %s and tells clients %s", region.Name, inside, engines.Brokers[0])
		}
	}
}

func TestConsulsFindEachOther(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("consul.json")
	if err != nil {
		t.Fatal(err)
	}
	var settings struct {
		Join []string `json:"retry_join_wan"`
	}
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for name, service := range project(t).Services {
		if !strings.HasPrefix(name, "consul-") {
			continue
		}
		if wan := "127.0.0.1:" + option(service, "-serf-wan-port="); !slices.Contains(settings.Join, wan) {
			t.Errorf("nobody joins %s at %s", name, wan)
		}
		for _, flag := range []string{"-http-port=", "-serf-lan-port=", "-serf-wan-port=", "-server-port="} {
			number := option(service, flag)
			if other := seen[number]; number == "" || other != "" {
				t.Errorf("%s%s of %s is missing or %s's too", flag, number, name, other)
			}
			seen[number] = name
		}
	}
}

func TestTheStarterMakesEveryVariable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("run.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name := range marks(t) {
		if !strings.Contains(string(text), "\t"+name+"=") {
			t.Errorf("run.sh does not make %s", name)
		}
	}
	if output, err := exec.CommandContext(t.Context(), "bash", "-n", "run.sh").CombinedOutput(); err != nil {
		t.Errorf("run.sh: %v\n%s", err, output)
	}
}

// published is where a container's port is reached from the host.
func published(service types.ServiceConfig, target uint32) string {
	for _, port := range service.Ports {
		if port.Target == target {
			return cmp.Or(port.HostIP, "0.0.0.0") + ":" + port.Published
		}
	}
	return ""
}

// option is what follows a flag in a service's command.
func option(service types.ServiceConfig, flag string) string {
	for _, word := range service.Command {
		if value, found := strings.CutPrefix(word, flag); found {
			return value
		}
	}
	return ""
}

func port(text string) (number uint32) {
	if _, err := fmt.Sscan(text, &number); err != nil {
		return 0
	}
	return number
}
