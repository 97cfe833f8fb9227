package cloudflare_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/edge/cloudflare/expression"
	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/geo"
)

const hostname = "shop.example.com"

func shopWith(rules *rule.Rules) cloudflare.Shop {
	return cloudflare.Shop{
		Rules: rules, Hostname: hostname, Plan: cloudflare.Enterprise, ProbeEvery: 60,
		Regions: []cloudflare.Region{{Region: geo.Region{Name: "eu-west", Code: "euw", Point: geo.Point{Latitude: 53, Longitude: -6}}, Origin: "https://eu-west.example.com"}},
	}
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// aRule draws a rule of a document. Its words are few, so that rules overlap.
func aRule(t *rapid.T, i int) string {
	action := rapid.SampledFrom([]string{"cache", "bypass", "refuse"}).Draw(t, "action")
	allowed := methods
	if action == "cache" {
		allowed = methods[:2]
	}
	taken := rapid.SliceOfNDistinct(rapid.SampledFrom(allowed), 1, len(allowed), rapid.ID[string]).Draw(t, "methods")
	var paths []string
	for range rapid.IntRange(1, 3).Draw(t, "paths") {
		segments := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c-d"}), 1, 3).Draw(t, "segments")
		// Few are variable: each takes a third of the length that an expression may have.
		variable := rapid.IntRange(-9, len(segments)-1).Draw(t, "variable")
		if variable >= 0 {
			segments[variable] = "{x}"
		}
		// What comes after a variable segment is not for the language to tell from the segment itself.
		if action != "cache" && variable < 0 && rapid.Bool().Draw(t, "tail") {
			segments = append(segments, "**")
		}
		paths = append(paths, fmt.Sprintf("%q", "/"+strings.Join(segments, "/")))
	}
	text := fmt.Sprintf("  - name: rule-%d\n    match: {methods: [%s], paths: [%s]}\n    action: %s\n", i, strings.Join(taken, ", "), strings.Join(paths, ", "), action)
	if action == "cache" {
		text += "    cache: {edge_ttl_max: 1h, query: [], forward_headers: [], tags_header: Cache-Tag}\n"
	}
	return text
}

// zone decides as Cloudflare does: what the firewall blocks is refused; of the cache rules the last that matches wins, for GET and HEAD.
type zone map[string][]compiled

type compiled struct {
	cloudflare.Rule
	expression.Expression
}

func zoneOf(t *rapid.T, rules *rule.Rules) zone {
	desired, err := cloudflare.Desired(shopWith(rules))
	var refused *expression.SyntaxError
	if errors.As(err, &refused) && refused.At == expression.MaxLength {
		t.Skip("the rules are too long for Cloudflare, and refused")
	}
	if err != nil {
		t.Fatal(err)
	}
	z := zone{}
	for phase, list := range desired.Phases {
		for _, r := range list {
			e, err := expression.Parse(r.Expression)
			if err != nil {
				t.Fatalf("%s: %v", r.Expression, err)
			}
			z[phase] = append(z[phase], compiled{r, e})
		}
	}
	return z
}

func (z zone) decide(r expression.Request) (refused, cached, anonymous bool) {
	for _, each := range z[cloudflare.PhaseFirewall] {
		refused = refused || each.Matches(r)
	}
	for _, each := range z[cloudflare.PhaseCache] {
		if each.Matches(r) {
			cached = each.Parameters["cache"] == true
		}
	}
	for _, each := range z[cloudflare.PhaseTransform] {
		anonymous = anonymous || each.Ref == cloudflare.Owned+"anonymous" && each.Matches(r)
	}
	return refused, cached && !refused && (r.Method == "GET" || r.Method == "HEAD"), anonymous
}

// Whatever rules somebody writes, a zone at Cloudflare decides by their translation as the first rule that matches does.
func TestAnyRulesMeanTheSameAtCloudflare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		document := "rules:\n"
		for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
			document += aRule(t, i)
		}
		rules, err := rule.Parse([]byte(document))
		if err != nil {
			t.Fatalf("%s\n%v", document, err)
		}
		z := zoneOf(t, rules)
		for range 30 {
			segments := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c-d", "a", "b", "x_y", "-a", "a_", "a.b", "a%41", "a;b", "a~", "a@b", "a:b", "a|b", `a"b`}), 0, 4).Draw(t, "segments")
			target := "/" + strings.Join(segments, "/") + rapid.SampledFrom([]string{"", "", "", "/"}).Draw(t, "end")
			method := rapid.SampledFrom(methods).Draw(t, "method")
			want, err := rules.Decide(method, target)
			if err != nil {
				continue // refused before any rule is asked
			}
			refused, cached, anonymous := z.decide(expression.Request{Path: target, Method: method, Host: hostname})
			if refused != want.Refuse || cached != (want.Cache != nil) || anonymous != (want.Cache != nil) {
				t.Fatalf("%s %s: the rules say %+v; the zone refuses: %v, caches: %v, takes secrets off: %v\n%s", method, target, want, refused, cached, anonymous, document)
			}
		}
	})
}

func TestRulesThatCloudflareCannotSayAreRefused(t *testing.T) {
	t.Parallel()
	bypass := func(name, path string) string {
		return fmt.Sprintf("  - name: %s\n    match: {methods: [GET], paths: [%q]}\n    action: refuse\n", name, path)
	}
	many := ""
	for i := range 6 {
		many += bypass(fmt.Sprintf("refuse-%d", i), fmt.Sprintf("/a%d", i))
	}
	for document, value := range map[string]string{
		bypass("deep", "/a/{x}/**"):   "/a/{x}/**",
		bypass("dotted", "/a.b/{x}"):  "a.b",
		bypass("hyphen", "/a-/{x}/c"): "a-",
		many:                          cloudflare.PhaseFirewall,
	} {
		rules, err := rule.Parse([]byte("rules:\n" + document))
		if err != nil {
			t.Fatal(err)
		}
		s := shopWith(rules)
		s.Plan = cloudflare.Free
		if _, err := cloudflare.Desired(s); err == nil || !strings.Contains(err.Error(), value) {
			t.Errorf("%s: got %v, want an error that names %s", document, err, value)
		}
	}
}
