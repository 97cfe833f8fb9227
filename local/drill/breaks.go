package drill

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/local/link"
)

// Drills lists every drill.
func Drills() []Drill {
	return []Drill{
		{
			Name: "region-loss", What: "Every process of a region is killed at once, and the links to it are cut; it stays away to the end.",
			Planes: []string{"services", "redis", "consul", "broker", "search-engine", "links"}, NeedsRegion: true, StaysBroken: true,
			Break: lose, Mend: bringBack,
		},
		{
			Name: "region-return", What: "A region is lost and comes back while shoppers buy.",
			Planes: []string{"services", "redis", "consul", "broker", "search-engine", "links"}, NeedsRegion: true,
			Break: lose, Mend: bringBack,
		},
		{
			Name: "partition", What: "Nothing passes between two regions, for as long as the drill says.",
			Planes: []string{"gateway links", "broker links"}, NeedsRegion: true, NeedsPeer: true, Unaffected: true,
			Break: cut, Mend: heal,
		},
		{
			Name: "broker-loss", What: "A region's broker is killed; its supervisor starts it again.", Planes: []string{"broker"}, NeedsRegion: true, Unaffected: true,
			Break: killPart("broker"), Mend: nothing,
		},
		{
			Name: "redis-loss", What: "A region's Redis is killed; its supervisor starts it again.", Planes: []string{"redis"}, NeedsRegion: true,
			Break: killPart("redis"), Mend: nothing,
		},
		{
			Name: "rolling-restart", What: "Every process of every region is stopped in order and started again, one region after the other.",
			Planes: []string{"services", "redis", "consul", "broker", "search-engine"}, Unaffected: true, MovesAll: true,
			Break: restartAll, Mend: nothing,
		},
		{
			Name: "clock-skew", What: "The clock of a region's services is 30 s fast, then 30 s slow.", Planes: []string{"clock"}, NeedsRegion: true, Unaffected: true,
			Break: skew, Mend: setRight,
		},
	}
}

func nothing(context.Context, *Scene) error { return nil }

func lose(ctx context.Context, s *Scene) error {
	s.note("%s is lost: its processes are killed and the links to it cut", s.Region)
	for _, region := range s.Status.Regions {
		if region.Name == s.Region {
			continue
		}
		// Only those that lead there. What leads away would be used by nobody of the region any more, but by the edge's locations near it,
		// which are not lost with it.
		if _, err := launcher.ChangeLinks(ctx, s.Home, region.Name, s.Region, false, func(e *link.Entry) { e.Now.Cut = true }); err != nil {
			return err
		}
	}
	_, err := launcher.LoseRegion(ctx, s.Home, s.Region)
	return err
}

func bringBack(ctx context.Context, s *Scene) error {
	s.note("%s is started again", s.Region)
	for _, region := range s.Status.Regions {
		if region.Name == s.Region {
			continue
		}
		if err := s.setLinks(ctx, s.Region, region.Name, func(e *link.Entry) { e.Now = e.Usual }); err != nil {
			return err
		}
	}
	begun := time.Now()
	if _, err := launcher.StartRegion(ctx, s.Home, s.Region); err != nil {
		return err
	}
	s.note("%s serves, %s after it was started", s.Region, time.Since(begun).Round(time.Millisecond))
	return nil
}

func cut(ctx context.Context, s *Scene) error {
	s.note("the links between %s and %s are cut", s.Region, s.Peer)
	return s.setLinks(ctx, s.Region, s.Peer, func(e *link.Entry) { e.Now.Cut = true })
}

func heal(ctx context.Context, s *Scene) error {
	s.note("the links between %s and %s are healed", s.Region, s.Peer)
	return s.setLinks(ctx, s.Region, s.Peer, func(e *link.Entry) { e.Now = e.Usual })
}

func (s *Scene) setLinks(ctx context.Context, from, to string, edit func(*link.Entry)) error {
	_, err := launcher.ChangeLinks(ctx, s.Home, from, to, true, edit)
	return err
}

// killPart kills one engine of the region, once.
func killPart(name string) func(context.Context, *Scene) error {
	return func(_ context.Context, s *Scene) error {
		for _, region := range s.Status.Regions {
			engine, found := region.Engine(name)
			if !found || region.Name != s.Region {
				continue
			}
			s.note("%s of %s (process %d) is killed", name, s.Region, engine.PID)
			if engine.PID == 0 {
				return fmt.Errorf("%s of %s stands elsewhere and is not ours to kill", name, s.Region)
			}
			return syscall.Kill(engine.PID, syscall.SIGKILL)
		}
		return fmt.Errorf("%s has no %s", s.Region, name)
	}
}

func restartAll(ctx context.Context, s *Scene) error {
	for _, region := range s.Status.Regions {
		begun := time.Now()
		s.note("%s is restarted", region.Name)
		if _, err := launcher.RestartRegion(ctx, s.Home, region.Name); err != nil {
			return err
		}
		s.note("%s is back, after %s", region.Name, time.Since(begun).Round(time.Millisecond))
	}
	return nil
}

// clockSkew is half of the leeway that tokens have.
const clockSkew = 30 * time.Second

// skew puts the clock of a region forward for the first half of the time, and back for the second.
func skew(ctx context.Context, s *Scene) error {
	for _, offset := range []time.Duration{clockSkew, -clockSkew} {
		s.note("the clock of %s is %s wrong", s.Region, offset)
		if err := launcher.SkewClock(s.Home, s.Region, offset); err != nil {
			return err
		}
		timer := time.NewTimer(s.During / 2)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	return nil
}

func setRight(_ context.Context, s *Scene) error {
	s.note("the clock of %s is right again", s.Region)
	return launcher.SkewClock(s.Home, s.Region, 0)
}
