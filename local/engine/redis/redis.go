// Package redis runs a region's local Redis server. It appends every write to a file
// and syncs that once a second, so that a killed server loses at most a second of what
// it acknowledged; carts are made for that, and nothing else is kept here alone.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/local/engine"
	"github.com/meridian-store/meridian/local/process"
)

// Config says where the server keeps its data and how it is reached. Name, DataDir,
// Port and Password are required.
type Config struct {
	// Name is the process's name, such as "us-east/redis".
	Name string
	// DataDir is an absolute path. It is made at the first start.
	DataDir string
	// Port on 127.0.0.1.
	Port int
	// Password of the default user; printable ASCII.
	Password string
	LogFile  string
	// Volatile keeps everything in memory only. For tests.
	Volatile bool
	// DieWithParent is that of [process.Spec].
	DieWithParent bool
}

// Address is host:port.
func (c Config) Address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port))
}

// Spec returns what to run. The error is [engine.MissingError] when the machine has no
// Redis.
func Spec(config Config) (process.Spec, error) {
	program, err := engine.Find(engine.Redis)
	if err != nil {
		return process.Spec{}, err
	}
	if !filepath.IsAbs(config.DataDir) {
		return process.Spec{}, fmt.Errorf("redis data folder %q is not an absolute path", config.DataDir)
	}
	if err := checkPassword(config.Password); err != nil {
		return process.Spec{}, err
	}
	file := filepath.Join(config.DataDir, "redis.conf")
	return process.Spec{
		Name:          config.Name,
		Path:          program.Path,
		Args:          []string{file},
		Env:           program.Env,
		LogFile:       config.LogFile,
		DieWithParent: config.DieWithParent,
		Prepare: func(context.Context) error {
			return engine.WriteSettings(file, []byte(settings(config)))
		},
		Ready: func(ctx context.Context) error { return Ready(ctx, config.Address(), config.Password) },
	}, nil
}

// Ready returns nil when the server answers and has loaded its data.
func Ready(ctx context.Context, address, password string) error {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress:       []string{address},
		Password:          password,
		ForceSingleClient: true,
		DisableCache:      true,
		DisableRetry:      true,
		Dialer:            net.Dialer{Timeout: time.Second},
	})
	if err != nil {
		return fmt.Errorf("connect to Redis: %w", err)
	}
	defer client.Close()
	if err := client.Do(ctx, client.B().Ping().Build()).Error(); err != nil {
		return fmt.Errorf("ping Redis: %w", err)
	}
	return nil
}

func checkPassword(password string) error {
	if password == "" {
		return errors.New("redis password is empty")
	}
	if strings.ContainsFunc(password, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("redis password holds something else than printable ASCII")
	}
	return nil
}

// settings is the server's configuration file. It holds the password, which therefore
// never is on a command line.
func settings(config Config) string {
	lines := []string{
		"bind 127.0.0.1",
		"port " + strconv.Itoa(config.Port),
		"protected-mode yes",
		"requirepass " + strconv.Quote(config.Password),
		"dir " + strconv.Quote(config.DataDir),
		"daemonize no",
		`logfile ""`,
		// A full Redis refuses writes: to evict would lose carts without a word.
		"maxmemory-policy noeviction",
		`save ""`,
	}
	if config.Volatile {
		lines = append(lines, "appendonly no")
	} else {
		lines = append(lines, "appendonly yes", "appendfsync everysec")
	}
	return strings.Join(lines, "\n") + "\n"
}
