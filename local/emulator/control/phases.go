package control

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/edge/cloudflare/expression"
)

// actions are what the rules of each phase may do.
var actions = map[string]string{
	cloudflare.PhaseFirewall: "block", cloudflare.PhaseCache: "set_cache_settings", cloudflare.PhaseTransform: "rewrite",
}

func (s *Server) getPhase(r *http.Request) (any, error) {
	phase := r.PathValue("phase")
	if actions[phase] == "" {
		return nil, unknownPhase(phase)
	}
	set, there := s.look().Phases[phase]
	if !there {
		return nil, &refusal{status: http.StatusNotFound, code: 10003, reason: fmt.Sprintf("could not find entrypoint ruleset in the %q phase", phase)}
	}
	return set, nil
}

func (s *Server) putPhase(r *http.Request) (any, error) {
	phase := r.PathValue("phase")
	if actions[phase] == "" {
		return nil, unknownPhase(phase)
	}
	var sent struct {
		Description string  `json:"description"`
		Rules       []thing `json:"rules"`
	}
	if err := decode(r, &sent); err != nil {
		return nil, err
	}
	if limit := s.cfg.Plan.Limits().Rules[phase]; len(sent.Rules) > limit {
		return nil, invalid(20217, "exceeded maximum number of rules in the phase %s: %d out of %d", phase, len(sent.Rules), limit)
	}
	var written ruleset
	err := s.change(func(next *state) error {
		before, there := next.Phases[phase]
		if !there {
			before = ruleset{ID: newID(), Name: "default", Kind: "zone", Phase: phase, Version: "0"}
		}
		version, err := strconv.Atoi(before.Version)
		if err != nil {
			return err
		}
		before.Version, before.LastUpdated, before.Description = strconv.Itoa(version+1), s.cfg.Now().UTC(), sent.Description
		if before.Rules, err = s.rulesOf(phase, sent.Rules, before); err != nil {
			return err
		}
		next.Phases[phase], written = before, before
		return nil
	})
	return written, err
}

// rulesOf judges the rules of a phase and adds what the API says of each. One with the ref of an earlier one keeps its id.
func (s *Server) rulesOf(phase string, sent []thing, before ruleset) ([]thing, error) {
	rules := make([]thing, 0, len(sent))
	var seen []string
	for i, r := range sent {
		if err := s.checkRule(phase, i, r); err != nil {
			return nil, err
		}
		made := thing{"enabled": true}
		for name, value := range r {
			made[name] = value
		}
		id := newID()
		ref, _ := r["ref"].(string)
		if ref == "" {
			ref = id
		}
		if slices.Contains(seen, ref) {
			return nil, invalid(20015, "rule %d: the ref %q is used twice", i+1, ref)
		}
		seen = append(seen, ref)
		for _, old := range before.Rules {
			if old["ref"] == ref {
				id, _ = old["id"].(string)
			}
		}
		made["id"], made["ref"], made["version"], made["last_updated"] = id, ref, before.Version, before.LastUpdated
		rules = append(rules, made)
	}
	return rules, nil
}

func (s *Server) checkRule(phase string, i int, r thing) error {
	if action, _ := r["action"].(string); action != actions[phase] {
		return invalid(20016, "rule %d: action %q is not allowed in the phase %s", i+1, r["action"], phase)
	}
	text, _ := r["expression"].(string)
	if _, err := expression.Parse(text); err != nil {
		return invalid(20127, "rule %d: %q is not a valid value for expression because the expression is invalid: Filter parsing error: %s", i+1, text, err)
	}
	if phase == cloudflare.PhaseFirewall && !s.cfg.Plan.Limits().OwnBlockAnswers {
		parameters, _ := r["action_parameters"].(map[string]any)
		if parameters["response"] != nil {
			return invalid(20216, "rule %d: not entitled: a custom response of block needs a paid plan", i+1)
		}
	}
	if phase == cloudflare.PhaseCache && !s.cfg.Plan.Limits().CustomKey {
		parameters, _ := r["action_parameters"].(map[string]any)
		if key, _ := parameters["cache_key"].(map[string]any); key["custom_key"] != nil {
			return invalid(20216, "rule %d: not entitled: custom cache keys need an Enterprise plan", i+1)
		}
	}
	return nil
}

func unknownPhase(phase string) error {
	return invalid(10010, "%q is not a phase that this edge knows", phase)
}

func (s *Server) getTiers(which func(*cloudflare.Tiers) *bool, id string) func(*http.Request) (any, error) {
	return func(*http.Request) (any, error) {
		tiers := s.look().Tiers
		return setting(id, *which(&tiers), s.cfg.Now().UTC().Format(timeForm)), nil
	}
}

func (s *Server) setTiers(which func(*cloudflare.Tiers) *bool, id string) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		var sent struct {
			Value string `json:"value"`
		}
		if err := decode(r, &sent); err != nil {
			return nil, err
		}
		if sent.Value != "on" && sent.Value != "off" {
			return nil, invalid(1004, "value must be on or off")
		}
		if id == "regional_tiered_cache" && !s.cfg.Plan.Limits().RegionalTiers {
			return nil, &refusal{status: http.StatusForbidden, code: 1107, reason: "not entitled: regional tiered cache needs an Enterprise plan"}
		}
		err := s.change(func(next *state) error {
			*which(&next.Tiers) = sent.Value == "on"
			return nil
		})
		return setting(id, sent.Value == "on", s.cfg.Now().UTC().Format(timeForm)), err
	}
}

const timeForm = "2006-01-02T15:04:05.000000Z"

func setting(id string, on bool, modified string) thing {
	return thing{"id": id, "value": map[bool]string{true: "on", false: "off"}[on], "editable": true, "modified_on": modified}
}
