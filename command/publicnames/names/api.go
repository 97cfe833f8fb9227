package names

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/services/gateway"
	"github.com/meridian-store/meridian/services/gateway/openapi"
)

// api lists what the services answer over HTTP.
func api(_ context.Context, to *list) error {
	all, err := services()
	if err != nil {
		return err
	}
	public, err := gateway.Public()
	if err != nil {
		return err
	}
	for _, service := range all {
		to.add("service", service.Name)
		for _, key := range service.RedisKeys {
			to.add("redis-key", "<namespace>"+key)
		}
		paths(service, public, to)
		for path, item := range service.OpenAPI.Paths {
			for method, operation := range operations(item) {
				describe(service.OpenAPI, method+" "+path, operation, public(service.Name, method, path), to)
			}
		}
	}
	for kind, status := range httpx.Statuses() {
		to.add("problem-type", kind, fmt.Sprint(status))
	}
	for _, header := range []string{
		contract.HeaderCartID, contract.HeaderRegion, contract.HeaderIdempotencyKey, contract.HeaderInternal,
		contract.HeaderEdgeAuth, contract.HeaderForwardedBy,
	} {
		to.add("header", header)
	}
	to.add("cookie", contract.CookieCart)
	for _, role := range contract.Roles() {
		to.add("role", role)
	}
	return nil
}

var parameter = regexp.MustCompile(`:([A-Za-z_][A-Za-z0-9_]*)`)

// otherDocuments are forms of a service's OpenAPI document that its framework serves and no program here reads.
var otherDocuments = []string{"/openapi.yaml", "/openapi-3.0.json", "/openapi-3.0.yaml"}

// paths lists the routes of a service: public ones alone, others with the service that answers. HEAD goes with GET.
func paths(service described, public openapi.Public, to *list) {
	for _, route := range service.Routes {
		path := parameter.ReplaceAllString(route.Path, "{$1}")
		if route.Method == http.MethodHead || slices.Contains(otherDocuments, path) {
			continue
		}
		if public(service.Name, route.Method, path) {
			to.add("path", route.Method, path)
		} else {
			to.add("service-path", service.Name, route.Method, path)
		}
	}
}

// operations returns the operations of a path by method, without HEAD.
func operations(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPut: item.Put, http.MethodPost: item.Post,
		http.MethodDelete: item.Delete, http.MethodPatch: item.Patch,
	}
	for method, operation := range all {
		if operation == nil {
			delete(all, method)
		}
	}
	return all
}
