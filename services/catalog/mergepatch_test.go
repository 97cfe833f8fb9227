package catalog

import (
	"testing"

	"github.com/meridian-store/meridian/contract"
)

// The test cases of RFC 7396, appendix A.
func TestMergePatchDoesAsTheRFCSays(t *testing.T) {
	t.Parallel()
	cases := []struct{ original, patch, result string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"n":9007199254740993}`, `{}`, `{"n":9007199254740993}`}, // beyond what a float64 holds
	}
	for _, c := range cases {
		got, err := MergePatch([]byte(c.original), []byte(c.patch))
		if err != nil || string(got) != c.result {
			t.Errorf("%s patched by %s is %s (%v), want %s", c.original, c.patch, got, err, c.result)
		}
	}
	for _, patch := range []string{``, `{`, `{} {}`, `nope`} {
		if _, err := MergePatch([]byte(`{}`), []byte(patch)); contract.CodeOf(err) != contract.CodeInvalid {
			t.Errorf("%q was taken: %v", patch, err)
		}
	}
}
