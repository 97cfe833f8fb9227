package openapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/services/gateway/openapi"
)

func everything(string, string, string) bool { return true }

// document describes one operation whose answer is a Page of Items; item is what an Item is.
func document(path, id, item string) []byte {
	return fmt.Appendf(nil, `{"openapi":"3.1.0","info":{"title":"x","version":"1"},
	"paths":{%q:{"get":{"operationId":%q,"responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Page"}}}}}}}},
	"components":{"schemas":{
		"Page":{"type":"object","properties":{"items":{"type":["array","null"],"items":{"$ref":"#/components/schemas/Item"}}}},
		"Item":%s,
		"Unused":{"type":"string"}}}}`, path, id, item)
}

func merged(t testing.TB, sources ...openapi.Source) (*openapi3.T, []byte) {
	body, err := openapi.Merge(sources, everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := openapi3.NewLoader().LoadFromData(body)
	if err != nil {
		t.Fatalf("%v:\n%s", err, body)
	}
	if err := loaded.Validate(t.Context(), openapi3.IsOpenAPI31OrLater()); err != nil {
		t.Fatalf("%v:\n%s", err, body)
	}
	return loaded, body
}

func TestEqualNamesWithOtherMeaningsAreKeptApart(t *testing.T) {
	t.Parallel()
	text, number := `{"type":"string"}`, `{"type":"integer","maximum":9223372036854775807}`
	joined, body := merged(t,
		openapi.Source{Service: "catalog", Document: document("/a", "get", text)},
		openapi.Source{Service: "order", Document: document("/b", "get", number)},
		openapi.Source{Service: "cart", Document: document("/c", "list", text)},
	)
	for path, want := range map[string]string{"/a": "Page Item string", "/b": "OrderPage OrderItem integer", "/c": "Page Item string"} {
		page := joined.Paths.Value(path).Get.Responses.Status(200).Value.Content["application/json"].Schema
		item := page.Value.Properties["items"].Value.Items
		name := func(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }
		if got := fmt.Sprintf("%s %s %s", name(page.Ref), name(item.Ref), item.Value.Type.Slice()[0]); got != want {
			t.Errorf("%s answers %s, want %s", path, got, want)
		}
	}
	if len(joined.Components.Schemas) != 4 || strings.Contains(string(body), "Unused") {
		t.Errorf("the schemas are %v", joined.Components.Schemas)
	}
	if !strings.Contains(string(body), "9223372036854775807") {
		t.Error("a large number was rounded")
	}
	if joined.Paths.Value("/a").Get.OperationID != "get" || joined.Paths.Value("/b").Get.OperationID != "order-get" || joined.Paths.Value("/b").Get.Tags[0] != "order" {
		t.Error("equal operation ids were not kept apart")
	}
}

func TestWhatIsNotADocumentIsRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "null", "[]", `{"openapi":"3.0.3"}`, `{"openapi":3.1}`, "<html>"} {
		if _, err := openapi.Merge([]openapi.Source{{Service: "cart", Document: []byte(bad)}}, everything, nil); err == nil || !strings.Contains(err.Error(), "cart") {
			t.Errorf("%q: the error %v does not name the service", bad, err)
		}
	}
	one := `{"openapi":"3.1.0","components":{"securitySchemes":{"bearer":{"type":"http"}}}}`
	two := strings.Replace(one, "http", "oauth2", 1)
	if _, err := openapi.Merge([]openapi.Source{{Service: "cart", Document: []byte(one)}, {Service: "order", Document: []byte(two)}}, everything, nil); err == nil {
		t.Error("two ways to authenticate under one name were accepted")
	}
}

// However many services share names, each path's answer is what its own service meant, and every reference leads somewhere.
func TestMergingNeverChangesAMeaning(t *testing.T) {
	t.Parallel()
	types := []string{"string", "integer", "boolean", "number"}
	rapid.Check(t, func(r *rapid.T) {
		count := rapid.IntRange(1, 6).Draw(r, "services")
		var sources []openapi.Source
		var meant []string
		for i := range count {
			meant = append(meant, rapid.SampledFrom(types).Draw(r, "type"))
			// Few names of services, so that fresh names collide too.
			name := rapid.SampledFrom([]string{"cart", "order"}).Draw(r, "service")
			sources = append(sources, openapi.Source{Service: name, Document: document(fmt.Sprintf("/p%d", i), fmt.Sprintf("op%d", i), fmt.Sprintf(`{"type":%q}`, meant[i]))})
		}
		joined, _ := merged(t, sources...)
		for i, want := range meant {
			schema := joined.Paths.Value(fmt.Sprintf("/p%d", i)).Get.Responses.Status(200).Value.Content["application/json"].Schema
			if got := schema.Value.Properties["items"].Value.Items.Value.Type.Slice()[0]; got != want {
				r.Fatalf("service %d meant %s, the merged document says %s", i, want, got)
			}
		}
	})
}

func FuzzMerge(f *testing.F) {
	f.Add(document("/a", "get", `{"type":"string"}`), document("/b", "get", `{"type":"object","discriminator":{"propertyName":"t","mapping":{"a":"#/components/schemas/Page"}}}`))
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"/a":{"get":{"security":[{"bearer":["x"]}],"tags":[1],"parameters":[{"name":1}]}}}}`), []byte(`{"openapi":"3.1.0","paths":{"/a":{"get":3}}}`))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		body, err := openapi.Merge([]openapi.Source{{Service: "cart", Document: one}, {Service: "order", Document: two}}, everything, nil)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("the merged document is not JSON: %s", body)
		}
		if _, err := openapi.Page(body); err != nil {
			t.Fatalf("no page could be made: %v", err)
		}
	})
}
