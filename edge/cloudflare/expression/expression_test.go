package expression_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/edge/cloudflare/expression"
)

func TestExpressionsMeanWhatCloudflareSays(t *testing.T) {
	t.Parallel()
	request := expression.Request{Path: "/api/v1/Products/x", Method: "GET", Host: "shop.example", Country: "IE"}
	for text, want := range map[string]bool{
		`true`: true, `false`: false, `not true`: false, `!false`: true,
		`http.request.method eq "GET"`: true, `http.request.method == "POST"`: false, `http.request.method ne "POST"`: true, `http.host != "shop.example"`: false,
		`http.request.method in {"GET" "HEAD"}`: true, `http.request.method in {}`: false, `ip.src.country in {"CU" "IR"}`: false,
		`http.request.uri.path contains "v1"`: true, `starts_with(http.request.uri.path, "/api/")`: true, `ends_with(http.request.uri.path, "/y")`: false,
		`http.request.uri.path wildcard "/api/*/products/*"`: true, `http.request.uri.path strict wildcard "/api/*/products/*"`: false,
		`http.request.uri.path strict wildcard r"/api/*"`: true, `http.request.uri.path strict wildcard "*"`: true, `http.request.uri.path strict wildcard "/api/v1/Products/x*x"`: false,
		`true or false and false`: true, `(true or false) and false`: false, `not false and false`: false, `not (false and false)`: true, `true && !false || false`: true,
		`http.host eq "a\"b\\c"`: false, "true\n\tand true": true,
	} {
		e, err := expression.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := e.Matches(request); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
}

func TestWhatIsNoExpressionIsRefusedByItsPlace(t *testing.T) {
	t.Parallel()
	for text, at := range map[string]int{
		``: 0, `true true`: 5, `(true`: 5, `http.request.method`: 19, `http.request.method eq GET`: 23, `http.request.method like "x"`: 20,
		`cf.bot_management.score lt 30`: 0, `http.host eq "x`: 13, `http.host in {"x"`: 17, `http.host in "x"`: 13, `starts_with(http.host "x")`: 22, `true and`: 8, `@`: 0,
		`http.host eq "a\n"`: 13, `"x" eq http.host`: 0, strings.Repeat("not ", 60) + "true": 200, strings.Repeat("x", 5000): 4096,
	} {
		_, err := expression.Parse(text)
		var wrong *expression.SyntaxError
		if !errors.As(err, &wrong) || wrong.At != at {
			t.Errorf("%.40s: %v, want an error at %d", text, err, at)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{`(http.request.uri.path eq "/a" or not starts_with(http.host, "b")) and http.request.method in {"GET"}`, `r"`, `"\`, `{{`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if e, err := expression.Parse(text); err == nil {
			e.Matches(expression.Request{Path: text})
		}
	})
}
