package httpx

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/auth"
)

// API declares a service's operations; its OpenAPI 3.1 document is served at /openapi.json.
type API struct {
	huma     huma.API
	log      *slog.Logger
	verifier *auth.Verifier
	// documentHidden puts hidden operations in the document too.
	documentHidden bool
}

// bearer is the name of the one security scheme.
const bearer = "bearer"

// huma keeps its maker of errors in a package variable; every API of the process shares ours.
var useProblems = sync.OnceFunc(func() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return fromHuma(context.Background(), status, message, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		return fromHuma(ctx.Context(), status, message, errs)
	}
})

// NewAPI makes the API of a service on its app.
func NewAPI(app *fiber.App, title, version string, verifier *auth.Verifier, log *slog.Logger) *API {
	useProblems()
	config := huma.DefaultConfig(title, version)
	config.CreateHooks = nil // no $schema member in every answer
	config.DocsPath, config.SchemasPath = "", ""
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{bearer: {Type: "http", Scheme: bearer, BearerFormat: "JWT"}}
	return &API{huma: humafiber.New(app, config), log: log, verifier: verifier}
}

// Handle declares one operation. Errors become problem documents by the table in this package; an error that carries no
// contract.Code is logged here and shown only as "internal".
func Handle[I, O any](api *API, operation huma.Operation, handler func(context.Context, *I) (*O, error)) {
	roles := rolesOf(operation)
	operation.Hidden = operation.Hidden && !api.documentHidden
	if len(operation.Errors) == 0 {
		operation.Errors = []int{http.StatusBadRequest, http.StatusInternalServerError, http.StatusServiceUnavailable}
	}
	operation.Middlewares = append(operation.Middlewares, api.authenticate(roles))
	huma.Register(api.huma, operation, func(ctx context.Context, input *I) (*O, error) {
		output, err := handler(ctx, input)
		if err == nil {
			return output, nil
		}
		problem := NewProblem(ctx, err)
		if problem.Status >= http.StatusInternalServerError {
			api.log.ErrorContext(ctx, "A request failed.", "operation", operation.OperationID, "error", ErrorChain(err))
		}
		return nil, problem
	})
}

// DocumentHidden puts operations that are declared from now on in the document even when they are hidden. Programs that
// report a service's whole surface use it; a running service does not.
func (api *API) DocumentHidden() { api.documentHidden = true }

// OpenAPI returns the document of the operations declared so far.
func (api *API) OpenAPI() *huma.OpenAPI { return api.huma.OpenAPI() }

// ForRoles is the Security of an operation that needs a bearer token with one of the roles.
func ForRoles(roles ...string) []map[string][]string {
	return []map[string][]string{{bearer: roles}}
}

func rolesOf(operation huma.Operation) []string {
	for _, requirement := range operation.Security {
		if roles, ok := requirement[bearer]; ok {
			return roles
		}
	}
	return nil
}

// authenticate verifies a token where one is needed; elsewhere a valid one is kept for the handler and a bad one is refused.
func (api *API) authenticate(roles []string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		header := ctx.Header("Authorization")
		if header == "" && len(roles) == 0 {
			next(ctx)
			return
		}
		claims, err := api.verifier.Verify(header)
		if err == nil && len(roles) > 0 && !slices.Contains(roles, claims.Role) {
			err = contract.Errorf(contract.CodeForbidden, "this needs the role %s", strings.Join(roles, " or "))
		}
		if err != nil {
			api.refuse(ctx, err)
			return
		}
		next(huma.WithContext(ctx, auth.NewContext(ctx.Context(), claims)))
	}
}

func (api *API) refuse(ctx huma.Context, err error) {
	problem := NewProblem(ctx.Context(), err)
	body, marshalErr := problem.MarshalJSON()
	if marshalErr != nil {
		api.log.ErrorContext(ctx.Context(), "A problem document could not be written.", "error", marshalErr.Error())
	}
	if problem.Status == http.StatusUnauthorized {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="meridian"`)
	}
	ctx.SetHeader("Content-Type", ProblemContentType)
	ctx.SetStatus(problem.Status)
	if _, err := ctx.BodyWriter().Write(body); err != nil {
		api.log.WarnContext(ctx.Context(), "A refusal could not be sent.", "error", err.Error())
	}
}
