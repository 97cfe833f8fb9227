package names

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/command/publicnames/source"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/regions/cluster"
)

// tree holds itself.
type tree struct {
	Slug     string            `json:"slug"`
	Note     string            `json:"note,omitempty" enum:"new,old"`
	Names    map[string]string `json:"names,omitempty"`
	Children []tree            `json:"children,omitempty"`
}

type treeInput struct {
	ID   string `path:"id"`
	Sort string `query:"sort" enum:"up,down"`
	Body struct {
		Items []tree `json:"items"`
	}
}

type treeOutput struct {
	ETag string `header:"ETag"`
	Body tree
}

func TestDescribe_ListsParametersAndFields(t *testing.T) {
	t.Parallel()
	api := httpx.NewAPI(fiber.New(), "test", "1", nil, slog.New(slog.DiscardHandler))
	api.DocumentHidden()
	operation := huma.Operation{OperationID: "put-tree", Method: http.MethodPut, Path: "/trees/{id}", Hidden: true}
	httpx.Handle(api, operation, func(context.Context, *treeInput) (*treeOutput, error) { return nil, nil })
	found := &list{}
	for method, operation := range operations(api.OpenAPI().Paths["/trees/{id}"]) {
		describe(api.OpenAPI(), method+" /trees/{id}", operation, true, found)
	}
	isProblem := func(line string) bool { return strings.HasPrefix(line, "problem-field") }
	lines := slices.DeleteFunc(found.lines, isProblem)
	slices.Sort(lines)
	want := []string{
		"operation-id put-tree PUT /trees/{id}",
		"parameter PUT /trees/{id} path id required",
		"parameter PUT /trees/{id} query sort values=up|down",
		"request-field PUT /trees/{id} items required",
		"request-field PUT /trees/{id} items[].children",
		"request-field PUT /trees/{id} items[].names",
		"request-field PUT /trees/{id} items[].names.*",
		"request-field PUT /trees/{id} items[].note values=new|old",
		"request-field PUT /trees/{id} items[].slug required",
		"response-field PUT /trees/{id} 200 children",
		"response-field PUT /trees/{id} 200 names",
		"response-field PUT /trees/{id} 200 names.*",
		"response-field PUT /trees/{id} 200 note values=new|old",
		"response-field PUT /trees/{id} 200 slug required",
		"response-header PUT /trees/{id} 200 ETag",
	}
	if difference := cmp.Diff(want, lines); difference != "" {
		t.Error(difference)
	}
}

func TestMetric_ListsLabels(t *testing.T) {
	t.Parallel()
	found := &list{}
	for _, desc := range []*prometheus.Desc{
		prometheus.NewDesc("meridian_plain_total", `Help, with "quotes" and {braces}.`, nil, nil),
		prometheus.NewDesc("meridian_labelled", "Help.", []string{"b", "a"}, prometheus.Labels{"c": "1"}),
		prometheus.NewDesc("go_goroutines", "Help.", nil, nil),
	} {
		if err := metric(desc, found); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"metric meridian_plain_total", `metric meridian_labelled{c="1",b,a}`}
	if difference := cmp.Diff(want, found.lines); difference != "" {
		t.Error(difference)
	}
}

func TestServices_NameTheirRedisKeys(t *testing.T) {
	t.Parallel()
	for _, definition := range cluster.Services() {
		if definition.Redis != kit.None && len(definition.RedisKeys) == 0 {
			t.Errorf("%s uses Redis and names no key in its Definition", definition.Name)
		}
	}
}

func TestCheckMetrics_RefusesOneThatNoRegistryLists(t *testing.T) {
	t.Parallel()
	read, err := source.Read("../source/testdata/tree")
	if err != nil {
		t.Fatal(err)
	}
	if err := checkMetrics(read, &list{}); err == nil {
		t.Error("a metric without labels was accepted")
	}
	if err := checkMetrics(read, &list{lines: []string{"metric meridian_requests_total{status}"}}); err != nil {
		t.Error(err)
	}
}
