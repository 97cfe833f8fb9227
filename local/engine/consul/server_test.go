package consul_test

import (
	"context"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/meridian-store/meridian/local/engine/consul"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/process"
)

func TestKilledDatacenterComesBackAndRejoins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	configs := make(map[string]consul.Config)
	for _, region := range []string{"us-east", "eu-west"} {
		port := enginetest.Ports(t, 4)
		configs[region] = consul.Config{
			Name:          region + "/consul",
			Datacenter:    region,
			DataDir:       filepath.Join(dir, region),
			Ports:         consul.Ports{HTTP: port, SerfLAN: port + 1, SerfWAN: port + 2, Server: port + 3},
			LogFile:       filepath.Join(dir, region+".log"),
			DieWithParent: true,
		}
	}
	supervisor := process.NewSupervisor(process.Config{})
	t.Cleanup(func() { supervisor.StopAll(context.Background()) })
	clients := make(map[string]*api.Client)
	for region, config := range configs {
		for other, peer := range configs {
			if other != region {
				config.JoinWAN = append(config.JoinWAN, peer.SerfWANAddress())
			}
		}
		spec, err := consul.Spec(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := supervisor.Start(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		clients[region] = connect(t, config.Address())
	}
	answersAcross := func(from, to string) bool {
		_, _, err := clients[from].Catalog().Nodes(&api.QueryOptions{Datacenter: to})
		return err == nil
	}
	eventually(t, "each datacenter answers for the other", func() bool {
		return answersAcross("us-east", "eu-west") && answersAcross("eu-west", "us-east")
	})
	if _, err := clients["eu-west"].KV().Put(&api.KVPair{Key: "kept", Value: []byte("yes")}, nil); err != nil {
		t.Fatal(err)
	}

	server, _ := supervisor.Process("eu-west/consul")
	if err := server.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the killed server is back", func() bool { s := server.State(); return s.Ready && s.Restarts == 1 })
	pair, _, err := clients["eu-west"].KV().Get("kept", nil)
	if err != nil || pair == nil || string(pair.Value) != "yes" {
		t.Errorf("got %v, %v, want what was written before", pair, err)
	}
	eventually(t, "both answer across again", func() bool {
		return answersAcross("us-east", "eu-west") && answersAcross("eu-west", "us-east")
	})

	server.Stop(t.Context())
	eventually(t, "the other one sees that it is gone", func() bool {
		members, err := clients["us-east"].Agent().Members(true)
		if err != nil {
			t.Fatal(err)
		}
		const failed = 4 // serf.StatusFailed: it did not leave
		return slices.ContainsFunc(members, func(m *api.AgentMember) bool {
			return m.Tags["dc"] == "eu-west" && m.Status == failed
		})
	})
}
