package search

import (
	"html"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAPluralIsFoundByItsSingular(t *testing.T) {
	t.Parallel()
	for one, many := range map[string]string{
		"shirt": "Shirts", "dress": "dresses", "knife": "knives", "watch": "watches", "box": "boxes", "battery": "batteries", "tie": "tie",
		"canvas": "canvas", "glass": "glasses", "chef's knife": "Chefs’ knives", "t-shirt": "T-Shirts", "piqué": "pique", "mug": "MUGS",
	} {
		if a, b := english.stems(one), english.stems(many); !slices.Equal(a, b) {
			t.Errorf("%q is %v, %q is %v", one, a, many, b)
		}
	}
	if asked := english.asked("shoes for the men"); !slices.Equal(asked, []string{"shoe", "man"}) {
		t.Errorf("asked for %v", asked)
	}
	if asked := english.asked("the"); !slices.Equal(asked, []string{"the"}) {
		t.Errorf("a query of silent words alone asks for %v", asked)
	}
}

// Whatever a product is called, its highlight is its own text, escaped, with no element but mark.
func TestAHighlightIsSafe(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`(<script>|</mark>|<mark>|&amp;|blue |"|'){0,8}`)).Draw(t, "text")
		marked, _ := english.marked(text, func(string) bool { return rapid.Bool().Draw(t, "wanted") })
		bare := strings.ReplaceAll(strings.ReplaceAll(marked, "<mark>", ""), "</mark>", "")
		if strings.ContainsAny(bare, `<>"'`) || strings.Count(marked, "<mark>") != strings.Count(marked, "</mark>") {
			t.Fatalf("%q became %q", text, marked)
		}
		if html.UnescapeString(bare) != strings.ToValidUTF8(text, "\uFFFD") && !strings.Contains(text, "\uFFFD") {
			t.Fatalf("%q became %q", text, marked)
		}
	})
	if marked, any := english.marked(`<b>Blue</b> shirts`, func(stem string) bool { return stem == "shirt" }); !any || marked != `&lt;b&gt;Blue&lt;/b&gt; <mark>shirts</mark>` {
		t.Errorf("marked: %s", marked)
	}
}
