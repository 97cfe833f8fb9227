package control

import (
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-store/meridian/edge/cloudflare"
)

// purgeRequest is the body of purge_cache: one of its members.
type purgeRequest struct {
	Tags       []string `json:"tags"`
	Files      []any    `json:"files"`
	Prefixes   []string `json:"prefixes"`
	Hosts      []string `json:"hosts"`
	Everything bool     `json:"purge_everything"`
}

const maxTag = 1024

// purge answers once no location shows what is named any more. As at Cloudflare a plan's rate holds.
func (s *Server) purge(r *http.Request) (any, error) {
	var sent purgeRequest
	if err := decode(r, &sent); err != nil {
		return nil, err
	}
	given, operations := 0, 0
	for _, n := range []int{len(sent.Tags), len(sent.Files), len(sent.Prefixes), len(sent.Hosts)} {
		if n > 0 {
			given++
		}
		operations += n
	}
	if sent.Everything {
		given++
	}
	switch {
	case given != 1:
		return nil, invalid(1012, "Request must contain one of \"purge_everything\", \"files\", \"tags\", \"hosts\" or \"prefixes\"")
	case operations > cloudflare.PurgeOperations:
		return nil, invalid(1093, "Only %d operations are allowed in a request", cloudflare.PurgeOperations)
	}
	for _, tag := range sent.Tags {
		if tag == "" || len(tag) > maxTag || strings.ContainsAny(tag, " ,") {
			return nil, invalid(1094, "a tag is empty, longer than %d characters, or holds a space or a comma", maxTag)
		}
	}
	targets, err := targetsOf(sent.Files)
	if err != nil {
		return nil, err
	}
	prefixes := make([]string, 0, len(sent.Prefixes))
	for _, prefix := range sent.Prefixes {
		_, path, found := strings.Cut(prefix, "/")
		if !found || strings.Contains(prefix, "://") {
			return nil, invalid(1095, "a prefix is a host and a path, without https://")
		}
		prefixes = append(prefixes, "/"+path)
	}
	if now := s.cfg.Now(); !s.limiter.AllowN(now, 1) {
		lacking := 1 - s.limiter.TokensAt(now)
		return nil, &refusal{status: http.StatusTooManyRequests, code: 971, reason: "Please wait and consider throttling your request speed",
			retryAfter: int(math.Ceil(lacking / float64(s.limiter.Limit())))}
	}
	switch {
	case sent.Everything, len(sent.Hosts) > 0: // the zone has one host
		s.cfg.Edge.PurgeEverything()
	case len(sent.Tags) > 0:
		s.cfg.Edge.PurgeTags(sent.Tags...)
	case len(targets) > 0:
		s.cfg.Edge.PurgeTargets(targets...)
	default:
		s.cfg.Edge.PurgePrefixes(prefixes...)
	}
	return thing{"id": s.cfg.Zone}, nil
}

// targetsOf takes addresses as they are, or as objects with one.
func targetsOf(files []any) ([]string, error) {
	targets := make([]string, 0, len(files))
	for _, each := range files {
		text, isText := each.(string)
		if members, isObject := each.(map[string]any); isObject {
			text, isText = members["url"].(string)
		}
		at, err := url.Parse(text)
		if !isText || err != nil || at.Host == "" {
			return nil, invalid(1016, "Invalid url: a file is an absolute address")
		}
		targets = append(targets, at.RequestURI())
	}
	return targets, nil
}
