package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

// described is a service that serves the document of some operations, made as every service makes its own.
func described(title string, declare func(*httpx.API)) http.Handler {
	app := fiber.New()
	declare(httpx.NewAPI(app, title, "1.0.0", nil, slog.New(slog.DiscardHandler)))
	return adaptor.FiberApp(app)
}

func operation(id, method, path string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: "Does " + id}
}

// answer is the handler of operations that are described but never called.
func answer[I, O any](context.Context, *I) (*O, error) { return new(O), nil }

// Two services give the name Line to different things; both use Money, which is the same.
type catalogPage struct {
	Body struct {
		Items []struct {
			ID    string         `json:"id" maxLength:"40"`
			Price contract.Money `json:"price"`
		} `json:"items"`
	}
}

type orderPage struct {
	Body struct {
		Lines []contract.Money `json:"lines" nullable:"true"`
		Total contract.Money   `json:"total" doc:"What is charged <script>alert(1)</script>"`
	}
}

func TestThePublicDocumentJoinsTheServices(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	early := read(t, shop.Do(t, http.MethodGet, "/api/openapi.json", nil, nil))
	if !strings.Contains(early, `"x-unavailable":["cart","catalog","identity","imports","inventory","order","payment","search"]`) || !strings.Contains(early, "/api/v1/regions") {
		t.Errorf("before any service answers, the document is %s", early)
	}
	shop.Neighbour(t, contract.ServiceCatalog, described("catalog", func(api *httpx.API) {
		httpx.Handle(api, operation("list", "GET", "/api/v1/products"), answer[struct {
			Limit int `query:"limit" minimum:"1" maximum:"100"`
		}, catalogPage])
		httpx.Handle(api, operation("get-product", "GET", "/api/v1/products/{id}"), answer[struct {
			ID string `path:"id"`
		}, catalogPage])
		httpx.Handle(api, operation("secret", "GET", "/internal/v1/prices"), answer[struct{}, orderPage])
		httpx.Handle(api, operation("unrouted", "POST", "/api/v1/products"), answer[struct{}, orderPage])
	}))
	admin := operation("list", "POST", "/api/v1/orders/{id}/cancel")
	admin.Security = httpx.ForRoles(contract.RoleAdmin)
	shop.Neighbour(t, contract.ServiceOrder, described("order", func(api *httpx.API) {
		httpx.Handle(api, admin, answer[struct {
			ID   string `path:"id"`
			Body contract.Address
		}, orderPage])
	}))
	var body string
	var tag string
	kittest.Eventually(t, func() error {
		response := shop.Do(t, http.MethodGet, "/api/openapi.json", nil, nil)
		body, tag = read(t, response), response.Header.Get("ETag")
		if !strings.Contains(body, `"x-unavailable":["cart","identity","imports","inventory","payment","search"]`) {
			return io.ErrUnexpectedEOF
		}
		return nil
	})
	for _, hidden := range []string{"/internal/", "secret", "unrouted", "charges"} {
		if strings.Contains(body, hidden) {
			t.Errorf("the public document tells of %s", hidden)
		}
	}
	document, err := openapi3.NewLoader().LoadFromData([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context(), openapi3.IsOpenAPI31OrLater()); err != nil {
		t.Errorf("the merged document is not valid: %v", err)
	}
	if document.Info.Title != "Meridian" || document.Servers[0].URL != "/" || document.Paths.Len() != 4 {
		t.Errorf("title %q, servers %v, %d paths", document.Info.Title, document.Servers, document.Paths.Len())
	}
	if cancel := document.Paths.Value("/api/v1/orders/{id}/cancel"); cancel == nil || cancel.Post.OperationID != "order-list" || cancel.Post.Tags[0] != "order" {
		t.Errorf("the order service's operation is %+v", cancel)
	}
	if again := shop.Do(t, http.MethodGet, "/api/openapi.json", nil, nil, map[string]string{"If-None-Match": tag}); again.StatusCode != http.StatusNotModified || read(t, again) != "" {
		t.Errorf("an unchanged document came with %d", again.StatusCode)
	}
	checkPage(t, shop)
}

// checkPage reads the page as a browser would judge it.
func checkPage(t *testing.T, shop *kittest.Service) {
	t.Helper()
	response := shop.Do(t, http.MethodGet, "/api/docs", nil, nil)
	page, policy := read(t, response), response.Header.Get("Content-Security-Policy")
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("the page has no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	if !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the policy %q does not allow the page's own style alone", policy)
	}
	if strings.Contains(page, "<script") || regexp.MustCompile(`(src|href)="?(https?:)?//`).MatchString(page) {
		t.Error("the page holds a script or something from elsewhere")
	}
	for _, want := range []string{
		"/api/v1/products/{id}", "Does get-product", "Needs a bearer token with the role admin", `href="#schema-Money"`, `id="schema-Money"`,
		"at least 1; at most 100", "cart, identity, imports, inventory", "&lt;script&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	ids := map[string]bool{}
	for _, match := range regexp.MustCompile(`id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if ids[match[1]] {
			t.Errorf("the page has two elements %s", match[1])
		}
		ids[match[1]] = true
	}
	for _, match := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !ids[match[1]] {
			t.Errorf("the page links to %s, which is not on it", match[1])
		}
	}
}

func read(t testing.TB, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(response.Header.Get("Content-Type"), "json") && len(body) > 0 && !json.Valid(body) {
		t.Fatalf("this is not JSON: %s", body)
	}
	return string(body)
}
