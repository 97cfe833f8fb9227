package main

import (
	"slices"
	"strings"
	"testing"
)

func TestParseMarkdown_FindsBlocksAndInlineCode(t *testing.T) {
	t.Parallel()
	const text = "# Shop\n" +
		"Run `make run`, or `make build &&\nbin/meridian up --seed`; see `go.mod` and `Link: rel=\"next\"`.\n" +
		"\n## By curl\n" +
		"```sh\n" +
		"# a comment with `make nothing`\n" +
		"SLUG=$(curl -s \"$EDGE/products?limit=1\" | sed -E 's/a|b/c/')   # inline\n" +
		"curl -s -X POST \"$EDGE/cart\" \\\n" +
		"  -d '{\"sku\": 1}'\n" +
		"CART=$(curl -s a |\n  sed 's/a/b/')\n" +
		"```\n" +
		"```\nmake a diagram\n```\n" +
		"| `meridian region start\\|stop <name> [--json]` | `KEY=1 go test ./geo` | `TestGeo_Works` |\n"
	blocks, commands, err := parseMarkdown("a.md", text)
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 1 || blocks[0].Heading != "By curl" || blocks[0].Line != 7 {
		t.Errorf("blocks: %+v", blocks)
	}
	var got []string
	for _, c := range commands {
		got = append(got, c.Words.String(c.Line))
	}
	want := []string{
		"8 curl|-s|$EDGE/products?limit=1",
		"9 curl|-s|-X|POST|$EDGE/cart|-d|{\"sku\": 1}",
		"11 curl|-s|a",
		"2 make|run",
		"2 make|build",
		"2 meridian|up|--seed",
		"17 meridian|region|start|name|--json",
		"17 meridian|region|stop|name|--json",
		"17 go|test|./geo",
		"17 go|test|-run|^TestGeo_Works$|./...",
	}
	if !slices.Equal(got, want) {
		t.Errorf("commands:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestParseShell_RefusesAnOpenQuote(t *testing.T) {
	t.Parallel()
	for _, line := range []string{`curl 'a`, `curl "a`, `echo $(curl a`} {
		if parsed, err := parseShell(line); err == nil {
			t.Errorf("%s: parsed as %q", line, parsed)
		}
	}
}

func TestMakefileTests_ExpandsVariables(t *testing.T) {
	t.Parallel()
	const text = "FULL := ^(TestA|TestB)$$\ntest:\n\t@go test -run '$(FULL)' ./a ./b | grep x\n"
	commands, err := makefileTests(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(commands) != 1 || commands[0].Words.String(commands[0].Line) != "3 go|test|-run|^(TestA|TestB)$|./a|./b" {
		t.Errorf("commands: %+v", commands)
	}
}
