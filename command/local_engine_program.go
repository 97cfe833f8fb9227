//go:build !production

package command

import (
	"context"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/local/engine/consul"
	"github.com/meridian-store/meridian/local/engine/postgres"
	"github.com/meridian-store/meridian/local/engine/redis"
	"github.com/meridian-store/meridian/local/process"
)

const engineStop = 30 * time.Second

type postgresEngine struct {
	Data     string `required:"" help:"Folder that keeps the databases." type:"path"`
	Port     int    `required:"" help:"Port on 127.0.0.1."`
	Password string `required:"" env:"MERIDIAN_SQL_PASSWORD" help:"The owner's password, for the first start (better given by the environment)."`
}

// Run keeps the server up until it is interrupted.
func (p *postgresEngine) Run(e *env) error {
	spec, err := postgres.Spec(postgres.Config{Name: "postgres", DataDir: p.Data, Port: p.Port, Password: p.Password, LogFile: p.Data + ".log"})
	return keep(e, spec, err)
}

type redisEngine struct {
	Data     string `required:"" help:"Folder that keeps its file." type:"path"`
	Port     int    `required:"" help:"Port on 127.0.0.1."`
	Password string `required:"" env:"MERIDIAN_REDIS_PASSWORD" help:"What clients must present (better given by the environment)."`
}

// Run keeps the server up until it is interrupted.
func (r *redisEngine) Run(e *env) error {
	spec, err := redis.Spec(redis.Config{Name: "redis", DataDir: r.Data, Port: r.Port, Password: r.Password, LogFile: r.Data + ".log"})
	return keep(e, spec, err)
}

type consulEngine struct {
	Region  string   `required:"" help:"The region, which is the datacenter's name."`
	Data    string   `required:"" help:"Folder that keeps its state." type:"path"`
	Port    int      `required:"" help:"HTTP port on 127.0.0.1; LAN gossip, WAN gossip and RPC take the three above it."`
	JoinWAN []string `help:"host:port of another region's WAN gossip; repeat for each."`
}

// Run keeps the server up until it is interrupted.
func (c *consulEngine) Run(e *env) error {
	if _, _, err := e.regionNamed(c.Region); err != nil {
		return err
	}
	spec, err := consul.Spec(e.ctx, consul.Config{
		Name: c.Region + "/consul", Datacenter: c.Region, DataDir: c.Data, JoinWAN: c.JoinWAN, LogFile: c.Data + ".log",
		Ports: consul.Ports{HTTP: c.Port, SerfLAN: c.Port + 1, SerfWAN: c.Port + 2, Server: c.Port + 3},
	})
	return keep(e, spec, err)
}

// keep runs one engine as `up` would, restarts and all.
func keep(e *env, spec process.Spec, err error) error {
	if err != nil {
		return err
	}
	engine, err := process.New(spec, process.Config{Home: spec.Name, Logger: e.logger(spec.Name)})
	if err != nil {
		return err
	}
	if err := engine.Start(e.ctx); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s is ready (process %d); its log is %s\n", spec.Name, engine.State().PID, spec.LogFile)
	<-e.ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), engineStop)
	defer cancel()
	engine.Stop(ctx)
	return nil
}
