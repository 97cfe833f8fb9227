package identity

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/httpx"
)

// maxBody holds the longest request that the schemas allow, in UTF-8.
const maxBody = 16 << 10

// Routes declares the service's HTTP operations.
func (s *Service) Routes(api *httpx.API) {
	declare := func(id, method, path, summary string, status int, roles ...string) huma.Operation {
		operation := huma.Operation{
			OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, MaxBodyBytes: maxBody,
			Tags: []string{"identity"}, Middlewares: huma.Middlewares{keepPrivate},
			Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests, http.StatusServiceUnavailable},
		}
		if len(roles) > 0 {
			operation.Security = httpx.ForRoles(roles...)
		}
		return operation
	}
	httpx.Handle(api, declare("register", http.MethodPost, "/api/v1/auth/register", "Make an account, homed in the region that answers, and log in", http.StatusCreated), s.postRegister)
	httpx.Handle(api, declare("log-in", http.MethodPost, "/api/v1/auth/login", "Log in, in any region", http.StatusOK), s.postLogin)
	httpx.Handle(api, declare("refresh", http.MethodPost, "/api/v1/auth/refresh", "Take a refresh token that has not served and give the next", http.StatusOK), s.postRefresh)
	httpx.Handle(api, declare("log-out", http.MethodPost, "/api/v1/auth/logout", "End the session of a refresh token", http.StatusNoContent), s.postLogout)

	anyone := contract.Roles()
	httpx.Handle(api, declare("get-me", http.MethodGet, "/api/v1/me", "One's own account", http.StatusOK, anyone...), s.getMe)
	httpx.Handle(api, declare("change-me", http.MethodPatch, "/api/v1/me", "Change one's own account", http.StatusOK, anyone...), s.patchMe)
	httpx.Handle(api, declare("erase-me", http.MethodDelete, "/api/v1/me", "Erase one's own account; orders remain", http.StatusNoContent, anyone...), s.deleteMe)
	httpx.Handle(api, declare("export-me", http.MethodGet, "/api/v1/me/export", "All that is kept of one's own", http.StatusOK, anyone...), s.getExport)
	httpx.Handle(api, declare("list-addresses", http.MethodGet, "/api/v1/me/addresses", "One's own addresses", http.StatusOK, anyone...), s.getAddresses)
	httpx.Handle(api, declare("add-address", http.MethodPost, "/api/v1/me/addresses", "Keep one more address", http.StatusCreated, anyone...), s.postAddress)
	httpx.Handle(api, declare("set-address", http.MethodPut, "/api/v1/me/addresses/{id}", "Replace an address", http.StatusOK, anyone...), s.putAddress)
	httpx.Handle(api, declare("drop-address", http.MethodDelete, "/api/v1/me/addresses/{id}", "Forget an address", http.StatusNoContent, anyone...), s.deleteAddress)

	httpx.Handle(api, declare("set-role", http.MethodPut, "/api/v1/admin/users/{id}/role", "What a user may do, from their next access token on", http.StatusOK, contract.RoleAdmin), s.putRole)
	httpx.Handle(api, huma.Operation{OperationID: "jwks", Method: http.MethodGet, Path: "/.well-known/jwks.json", Tags: []string{"identity"},
		Summary: "The public keys of all regions, by which access tokens are verified"}, s.getKeys)
}

// keepPrivate keeps every answer out of every cache: they hold tokens and personal data.
func keepPrivate(ctx huma.Context, next func(huma.Context)) {
	ctx.SetHeader("Cache-Control", "private, no-store")
	next(ctx)
}

// Guest is how a request names the guest's cart that is to become the user's.
type Guest struct {
	Header string `header:"X-Cart-Id" maxLength:"128" doc:"The cart of the guest who logs in; its lines move into the user's"`
	Cookie string `cookie:"cart" doc:"The same, for browsers"`
}

// Credentials are what a login needs.
type Credentials struct {
	Email    string `json:"email" minLength:"3" maxLength:"254"`
	Password string `json:"password" minLength:"1" maxLength:"128"`
}

type registerInput struct {
	Guest
	Body struct {
		Credentials
		Name string `json:"name,omitempty" maxLength:"200"`
	}
}

// Tokens is the answer to whoever has proved who they are.
type Tokens struct {
	AccessToken  string        `json:"access_token"`
	TokenType    string        `json:"token_type" enum:"Bearer"`
	ExpiresIn    int64         `json:"expires_in" doc:"Seconds until the access token is worth nothing"`
	RefreshToken string        `json:"refresh_token" doc:"Serves once, for the next access token"`
	User         contract.User `json:"user"`
	// CartMerged is absent when the request named no cart.
	CartMerged *bool               `json:"cart_merged,omitempty" doc:"False: the guest's cart is as it was; send X-Cart-Id again with the next refresh"`
	LeftOut    []contract.SKUCount `json:"cart_left_out,omitempty" doc:"What the user's cart had no room for"`
}

type tokensOutput struct {
	Cookie string `header:"Set-Cookie"`
	Body   Tokens
}

func (s *Service) postRegister(ctx context.Context, in *registerInput) (*tokensOutput, error) {
	admitted, err := s.register(ctx, in.Body.Email, in.Body.Name, in.Body.Password)
	return s.welcome(ctx, in.Guest, admitted, err)
}

type loginInput struct {
	Guest
	Body Credentials
}

func (s *Service) postLogin(ctx context.Context, in *loginInput) (*tokensOutput, error) {
	admitted, err := s.login(ctx, in.Body.Email, in.Body.Password)
	return s.welcome(ctx, in.Guest, admitted, err)
}

// RefreshBody presents a refresh token.
type RefreshBody struct {
	RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"200"`
}

type refreshInput struct {
	Guest
	Body RefreshBody
}

func (s *Service) postRefresh(ctx context.Context, in *refreshInput) (*tokensOutput, error) {
	admitted, err := s.refresh(ctx, in.Body.RefreshToken)
	return s.welcome(ctx, in.Guest, admitted, err)
}

type logoutInput struct{ Body RefreshBody }

func (s *Service) postLogout(ctx context.Context, in *logoutInput) (*struct{}, error) {
	return nil, s.logout(ctx, in.Body.RefreshToken)
}

// welcome answers with the tokens, after the guest's cart has become the user's if that can be now. Being logged in does not wait
// for a cart service that is not there.
func (s *Service) welcome(ctx context.Context, guest Guest, admitted loggedIn, err error) (*tokensOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &tokensOutput{Body: Tokens{
		AccessToken: admitted.access, TokenType: "Bearer", ExpiresIn: int64(accessLifetime.Seconds()), RefreshToken: admitted.refresh, User: admitted.user,
	}}
	name := guest.Header
	if name == "" {
		name = guest.Cookie
	}
	if name == "" || len(name) > 128 {
		return out, nil
	}
	merge, err := s.neighbours.merge(ctx, admitted.user.ID, name)
	if err != nil {
		s.log.WarnContext(ctx, "A guest's cart could not be merged at login; the next refresh will try again.", "error", httpx.ErrorChain(err))
		merge = contract.CartMerge{}
	}
	out.Body.CartMerged, out.Body.LeftOut = &merge.Merged, merge.LeftOut
	if merge.Merged && guest.Header == "" {
		gone := http.Cookie{Name: contract.CookieCart, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode} //nolint:gosec // as the cart's own: a shop on a laptop speaks plain HTTP
		out.Cookie = gone.String()
	}
	return out, nil
}

type roleInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Role string `json:"role" enum:"shopper,support,merchandiser,admin"`
	}
}

func (s *Service) putRole(ctx context.Context, in *roleInput) (*userOutput, error) {
	home, known := s.store.homeOf(in.ID, contract.KindUser)
	if !known {
		return nil, contract.Errorf(contract.CodeNotFound, "there is no such user")
	}
	found, err := s.store.setRole(ctx, home, in.ID, in.Body.Role, sqlTime(s.now()))
	if err != nil {
		return nil, err
	}
	return userAnswer(found), nil
}

type keysOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         auth.KeySet
}

func (s *Service) getKeys(context.Context, *struct{}) (*keysOutput, error) {
	return &keysOutput{CacheControl: "public, max-age=300", Body: s.keys}, nil
}
