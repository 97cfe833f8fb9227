package link

import (
	"bytes"
	"encoding/json"
	"io"
)

// toxic is one disturbance of one direction, as toxiproxy's API writes it.
type toxic struct {
	Name       string           `json:"name"`
	Type       string           `json:"type"`
	Stream     string           `json:"stream"`
	Toxicity   float32          `json:"toxicity"`
	Attributes map[string]int64 `json:"attributes"`
}

// jitterPercent is how much a delay wanders: little, because what wanders between cloud regions is a few percent.
const jitterPercent = 2

// toxics gives what makes a link behave by a condition. A cut link keeps its delay, so that healing it changes one thing.
func (c Condition) toxics() []toxic {
	var all []toxic
	there := c.RoundTripMS / 2
	for stream, half := range map[string]int64{"upstream": there, "downstream": c.RoundTripMS - there} {
		if half > 0 {
			// toxiproxy's jitter goes both ways; a link is never faster than asked.
			jitter := max(1, half*jitterPercent/100)
			all = append(all, toxic{
				Name: "delay_" + stream, Type: "latency", Stream: stream, Toxicity: 1,
				Attributes: map[string]int64{"latency": half + jitter, "jitter": jitter},
			})
		}
		if c.Cut {
			// A timeout of 0 swallows everything and closes nothing until the toxic is taken away.
			all = append(all, toxic{Name: "cut_" + stream, Type: "timeout", Stream: stream, Toxicity: 1, Attributes: map[string]int64{"timeout": 0}})
		}
	}
	return all
}

func (t toxic) body() io.Reader {
	encoded, err := json.Marshal(t)
	if err != nil {
		panic("link: a toxic cannot be encoded: " + err.Error()) // strings and numbers always can
	}
	return bytes.NewReader(encoded)
}

// condition reads back what the toxics of a proxy amount to.
func condition(active []toxic) Condition {
	var c Condition
	for _, t := range active {
		switch t.Type {
		case "latency":
			c.RoundTripMS += t.Attributes["latency"] - t.Attributes["jitter"]
		case "timeout":
			c.Cut = true
		}
	}
	return c
}
