package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/meridian-store/meridian/kit/discovery"
	"github.com/meridian-store/meridian/local/engine/consul"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/process"
)

// wan is a pair of datacenters that know each other.
type wan struct {
	address map[string]string
	client  map[string]*api.Client
}

func startWAN(t *testing.T, names ...string) wan {
	t.Helper()
	dir := t.TempDir()
	supervisor := process.NewSupervisor(process.Config{})
	t.Cleanup(func() { supervisor.StopAll(context.Background()) })
	var configs []consul.Config
	for _, name := range names {
		port := enginetest.Ports(t, 4)
		configs = append(configs, consul.Config{
			Name: name + "/consul", Datacenter: name, DataDir: filepath.Join(dir, name), LogFile: filepath.Join(dir, name+".log"), DieWithParent: true,
			Ports: consul.Ports{HTTP: port, SerfLAN: port + 1, SerfWAN: port + 2, Server: port + 3},
		})
	}
	pair := wan{address: map[string]string{}, client: map[string]*api.Client{}}
	for i, config := range configs {
		config.JoinWAN = []string{configs[1-i].SerfWANAddress()}
		spec, err := consul.Spec(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := supervisor.Start(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		settings := api.DefaultNonPooledConfig()
		settings.Address = config.Address()
		client, err := api.NewClient(settings)
		if err != nil {
			t.Fatal(err)
		}
		pair.address[config.Datacenter], pair.client[config.Datacenter] = config.Address(), client
	}
	kittest.Eventually(t, func() error {
		for i, name := range names {
			if _, _, err := pair.client[name].Catalog().Nodes(&api.QueryOptions{Datacenter: names[1-i]}); err != nil {
				return err
			}
		}
		return nil
	})
	return pair
}

// onlyQuery gives the one prepared query that there is, and the index of its last change.
func onlyQuery(client *api.Client) (*api.PreparedQueryDefinition, uint64, error) {
	all, meta, err := client.PreparedQuery().List(nil)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("there are %d prepared queries", len(all))
	}
	if err != nil {
		return nil, 0, err
	}
	return all[0], meta.LastIndex, nil
}

// What operators, and the watch of another region, rely on between real datacenters.
func TestAServiceIsFoundInTheNearestRegionThatHasOne(t *testing.T) {
	t.Parallel()
	pair := startWAN(t, "us-east", "eu-west")
	const namespace = "shop-"
	east, west := client(t, pair.address["us-east"], namespace), client(t, pair.address["eu-west"], namespace)
	near, far := instance(t, "cart", healthy), instance(t, "cart", healthy)
	for consul, made := range map[*discovery.Consul]discovery.Instance{east: near, west: far} {
		kittest.Eventually(t, func() error { return consul.Register(t.Context(), made) })
	}
	keep := func(datacenters ...string) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			east.KeepFailover(ctx, datacenters)
		}()
		return func() { cancel(); <-done }
	}
	finds := func(datacenter string) {
		t.Helper()
		kittest.Eventually(t, func() error {
			found, _, err := pair.client["us-east"].PreparedQuery().Execute(namespace+"cart", nil)
			if err == nil && (found.Datacenter != datacenter || len(found.Nodes) != 1) {
				err = fmt.Errorf("found %d of %q, want one of %s", len(found.Nodes), found.Datacenter, datacenter)
			}
			return err
		})
	}
	stop := keep("eu-west")
	finds("us-east")
	first, made, err := onlyQuery(pair.client["us-east"])
	if err != nil {
		t.Fatal(err)
	}
	stop()

	// The watch of the other region answers as soon as something is different there.
	addresses, index, err := east.InstancesIn(t.Context(), "eu-west", "cart", 0, time.Minute)
	for err == nil && len(addresses) == 0 { // its check has not passed yet
		addresses, index, err = east.InstancesIn(t.Context(), "eu-west", "cart", index, time.Minute)
	}
	if err != nil || len(addresses) != 1 || index == 0 {
		t.Fatalf("eu-west has %v at %d (%v)", addresses, index, err)
	}
	changed := make(chan error, 1)
	go func() {
		for now := addresses; len(now) > 0; {
			if now, index, err = east.InstancesIn(t.Context(), "eu-west", "cart", index, time.Minute); err != nil {
				changed <- err
				return
			}
		}
		changed <- nil
	}()
	if err := west.Deregister(t.Context(), far); err != nil {
		t.Fatal(err)
	}
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	if err := west.Register(t.Context(), far); err != nil {
		t.Fatal(err)
	}

	// Started again it changes nothing; told otherwise it changes the query that there is, and does not mind a region that is not there.
	keep("eu-west")()
	if again, changedAt, err := onlyQuery(pair.client["us-east"]); err != nil || changedAt != made {
		t.Errorf("a second start changed the query: %+v (%v)", again, err)
	}
	stop = keep("atlantis", "eu-west")
	kittest.Eventually(t, func() error {
		now, _, err := onlyQuery(pair.client["us-east"])
		if err == nil && (now.ID != first.ID || len(now.Service.Failover.Datacenters) != 2) {
			err = errors.New("the query is as it was")
		}
		return err
	})
	finds("us-east")
	if err := east.Deregister(t.Context(), near); err != nil {
		t.Fatal(err)
	}
	finds("eu-west")
	if _, err := pair.client["us-east"].PreparedQuery().Delete(first.ID, nil); err != nil {
		t.Fatal(err)
	}
	finds("eu-west") // it was made anew
	stop()
}
