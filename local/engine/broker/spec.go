package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/local/process"
)

// Process says how to run a broker as a child process. All but LogFile and
// DieWithParent are required.
type Process struct {
	// Name is the process's name, such as "us-east/broker".
	Name string
	// Meridian is the path of the meridian program, which has the command "engine broker".
	Meridian string
	// Address is host:port to listen on.
	Address string
	DataDir string
	LogFile string
	// DieWithParent is that of [process.Spec].
	DieWithParent bool
}

// Spec returns what to run: meridian engine broker --address … --data ….
func (p Process) Spec() process.Spec {
	return process.Spec{
		Name:          p.Name,
		Path:          p.Meridian,
		Args:          []string{"engine", "broker", "--address", p.Address, "--data", p.DataDir},
		LogFile:       p.LogFile,
		StopTimeout:   30 * time.Second, // it writes its state
		DieWithParent: p.DieWithParent,
		Ready:         func(ctx context.Context) error { return Ready(ctx, p.Address) },
	}
}

// Ready returns nil when the broker at host:port answers.
func Ready(ctx context.Context, address string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.RequestRetries(0))
	if err != nil {
		return fmt.Errorf("connect to broker: %w", err)
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return fmt.Errorf("ping broker: %w", err)
	}
	return nil
}
