package drill

import (
	"context"
	"time"
)

const (
	// lagLimit is how long after the drill every region may take to have all events of the others.
	lagLimit = time.Minute
	lagPoll  = 500 * time.Millisecond
)

// Lag is how far one region is behind another with the events that were sent since the drill began.
type Lag struct {
	Source string `json:"source"`
	Target string `json:"target"`
	// Events is how many the source sent itself. Of these Behind are not in the target, Doubled are there more often than in the source,
	// and Disordered come after one of their key that they preceded in the source.
	Events     int `json:"events"`
	Behind     int `json:"behind"`
	Doubled    int `json:"doubled"`
	Disordered int `json:"disordered"`
}

// compare tells how a region's events stand in another one.
func compare(source, target string, theirs, ours []entry) Lag {
	lag := Lag{Source: source, Target: target}
	sent, place, counted := map[string]int{}, map[string]int{}, map[string]entry{}
	for i, e := range theirs {
		if e.sender != source {
			continue
		}
		if sent[e.id] == 0 {
			place[e.id] = i
		}
		sent[e.id]++
		if e.counted {
			counted[e.id] = e
		}
	}
	lag.Events = len(counted)
	got, last := map[string]int{}, map[string]int{}
	others := map[string]bool{}
	for _, e := range ours {
		if e.sender != source {
			others[e.lane] = true
			continue
		}
		got[e.id]++
		at, known := place[e.id]
		if !known || got[e.id] > 1 {
			continue
		}
		if before, any := last[e.lane]; any && before > at {
			lag.Disordered++
		}
		last[e.lane] = max(last[e.lane], at)
	}
	for id, e := range counted {
		// A compacted topic may have forgotten it there already, and not yet in the source, because a later one took its place: the source's
		// own, or another region's, as of a cart that was changed away from its home. Those of two regions come in any order.
		newer, any := last[e.lane]
		if superseded := e.compacted && (any && newer > place[id] || others[e.lane]); got[id] == 0 && !superseded {
			lag.Behind++
		}
	}
	for id, n := range got {
		if n > max(1, sent[id]) {
			lag.Doubled++
		}
	}
	return lag
}

// openLogs notes where every region's events end.
func openLogs(ctx context.Context, scene Scene) ([]*eventLog, error) {
	var logs []*eventLog
	for _, region := range scene.Status.Regions {
		if broker, found := region.Engine("broker"); found {
			logs = append(logs, &eventLog{region: region.Name, address: broker.Address})
		}
	}
	var err error
	for _, log := range logs {
		if log.began, err = log.places(ctx); err != nil {
			return nil, err
		}
	}
	for _, log := range logs {
		if log.counted, err = log.places(ctx); err != nil {
			return nil, err
		}
	}
	return logs, nil
}

// settle waits until no region is behind another, or the limit is over, and gives what it saw last.
func settle(ctx context.Context, logs []*eventLog) ([]Lag, error) {
	deadline := time.Now().Add(lagLimit)
	ticker := time.NewTicker(lagPoll)
	defer ticker.Stop()
	for {
		lags, err := look(ctx, logs)
		if err != nil {
			return nil, err
		}
		behind := 0
		for _, lag := range lags {
			behind += lag.Behind
		}
		if behind == 0 || time.Now().After(deadline) {
			return lags, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
	}
}

// look compares every region with every other once.
func look(ctx context.Context, logs []*eventLog) ([]Lag, error) {
	ctx, cancel := context.WithTimeout(ctx, lagLimit)
	defer cancel()
	read := make([][]entry, len(logs))
	for i, log := range logs {
		var err error
		if read[i], err = log.read(ctx); err != nil {
			return nil, err
		}
	}
	lags := []Lag{}
	for i, source := range logs {
		for j, target := range logs {
			if i != j {
				lags = append(lags, compare(source.region, target.region, read[i], read[j]))
			}
		}
	}
	return lags, nil
}
