package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func (s simple) String(line int) string { return fmt.Sprintf("%d %s", line, strings.Join(s, "|")) }

// program that refuses flags as bin/meridian does, and lists one drill.
const fakeMeridian = `#!/bin/bash
for word in "$@"; do
  case $word in
    --help) echo "  region-loss  kills a region"; exit 0 ;;
    --sed) echo "meridian: unknown flag --sed" >&2; exit 80 ;;
  esac
done
exit 1
`

// newTree returns a root with a Makefile, a CI script, documents, a test and a program to check against.
func newTree(t *testing.T, readme string) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"README.md": readme, "CONTRIBUTING.md": "", "terraform/local/README.md": "", "docs/a.md": "",
		"Makefile":                     "run: ## Run\n\t@echo $(ARGS)\nhelp: ## List\n\t@echo '  make run  Run'\n",
		".ci/run":                      "#!/bin/bash\nstep run make run\nmake help\n",
		"geo/geo_test.go":              "package geo\n\nfunc TestGeo_Works() {}\n\nfunc BenchmarkGeo() {}\n",
		"terraform/local/variables.tf": "variable \"region\" {}\nresource \"meridian_region\" \"here\" {}\n",
		"bin/meridian":                 fakeMeridian,
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func checkTree(t *testing.T, readme string, decided *table) (map[class]int, error) {
	t.Helper()
	root := newTree(t, readme)
	_, commands, err := readDocuments(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	return checkStatic(t.Context(), root, filepath.Join(root, "bin", "meridian"), commands, decided, t.Output())
}

func TestCheckStatic_FindsRottenCommands(t *testing.T) {
	t.Parallel()
	for rotten, want := range map[string]string{
		"make rum":                                        "rum",
		`make run FLAGS="--json"`:                         "FLAGS",
		"make run-for-long":                               "run-for-long",
		"bin/meridian up --sed":                           "--sed",
		"meridian drill region-los":                       "region-los",
		"go test ./geo -run TestGeo_Fails":                `"TestGeo_Fails"`,
		"go test ./geo -run ^$ -bench Geography":          `"Geography"`,
		"go test -run '^(TestGeo_Works|TestGone)$' ./geo": `"^(TestGone)$"`,
		"go test ./geography":                             "./geography",
		"TestGeo_Gone":                                    "TestGeo_Gone",
		"bash terraform/prepare.sh":                       "terraform/prepare.sh",
		"terraform apply -var city=dublin":                "city",
		"terraform import meridian_shop.a x":              "meridian_shop.a",
		"curl http://127.0.0.1:8080/ready":                errNoCheck.Error(),
		"k6 run a.js":                                     errNoCheck.Error(),
	} {
		t.Run(rotten, func(t *testing.T) {
			t.Parallel()
			_, err := checkTree(t, "\n`"+rotten+"`\n", &table{})
			var found *located
			if !errors.As(err, &found) || found.File != "README.md" || found.Line != 2 ||
				!strings.Contains(found.cause.Error(), want) {
				t.Errorf("%v, want line 2 of README.md and a cause that names %q", err, want)
			}
			_, err = checkTree(t, "\n```sh\n# first\n"+rotten+"\n```\n", &table{})
			if isName := strings.HasPrefix(rotten, "TestGeo"); isName {
				return // no command in a block
			}
			if !errors.As(err, &found) || found.File != "README.md" || found.Line != 4 {
				t.Errorf("in a block: %v, want README.md:4", err)
			}
		})
	}
}

func TestCheckStatic_CountsEachClass(t *testing.T) {
	t.Parallel()
	const readme = "`make run`, `meridian up`, `go test ./geo -run TestGeo -bench Geo`\n" +
		"`terraform apply -var region=a`, `meridian status`, `curl a`, `TestGeo_Works`\n# Tour\n```sh\ncurl -s b\n```\n"
	counts, err := checkTree(t, readme, &table{
		executed: []execution{{Command: "meridian status"}, {Block: "README.md: Tour"}},
		excluded: []exclusion{{"curl a", "a is elsewhere"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// make run is in the README and in make help.
	if counts[classExecuted] != 4 || counts[classParsed] != 4 || counts[classExcluded] != 1 {
		t.Errorf("counts: %v", counts)
	}
}

func TestCheckStatic_ReportsEntriesWithoutADocument(t *testing.T) {
	t.Parallel()
	_, err := checkTree(t, "", &table{
		executed: []execution{{Command: "meridian gone"}, {Block: "README.md: Gone"}},
		excluded: []exclusion{{"make gone", ""}},
	})
	for _, entry := range []string{"meridian gone", "README.md: Gone", "make gone"} {
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(entry)) {
			t.Errorf("%v, want it to name %q", err, entry)
		}
	}
}

func TestClassify_RequiresADecisionForEachTarget(t *testing.T) {
	t.Parallel()
	root := newTree(t, "`make run`")
	if err := os.WriteFile(filepath.Join(root, ".ci/run"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, commands, err := readDocuments(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	_, err = checkStatic(t.Context(), root, filepath.Join(root, "bin", "meridian"), commands, &table{}, t.Output())
	if !errors.Is(err, errNoCheck) {
		t.Error("a target that nothing runs passes")
	}
}
