package identity

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

func TestOnesOwnAccountIsReadAndChanged(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	tokens := s.register(t, emailOf(1))
	s.register(t, emailOf(2))
	patch := func(body map[string]string) *http.Response {
		return s.Do(t, http.MethodPatch, "/api/v1/me", body, nil, bearing(tokens))
	}
	want(t, patch(map[string]string{"name": "  Ann Smith "}), http.StatusOK)
	wantProblem(t, patch(map[string]string{"email": emailOf(3)}), http.StatusForbidden, contract.CodeForbidden, "current_password")
	wantProblem(t, patch(map[string]string{"email": emailOf(2), "current_password": goodPassword}), http.StatusConflict, contract.CodeConflict, "email")
	want(t, patch(map[string]string{"email": emailOf(3), "current_password": goodPassword}), http.StatusOK)
	want(t, patch(map[string]string{"email": "SHOPPER-3@example.test", "current_password": goodPassword}), http.StatusOK)
	var me contract.User
	want(t, s.Do(t, http.MethodGet, "/api/v1/me", nil, &me, bearing(tokens)), http.StatusOK)
	if me.Name != "Ann Smith" || me.Email != "SHOPPER-3@example.test" || me.Version != 4 {
		t.Fatalf("%+v", me)
	}
	_, response := s.login(t, emailOf(1), goodPassword)
	wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	_, response = s.login(t, emailOf(3), goodPassword)
	want(t, response, http.StatusOK)
	s.register(t, emailOf(1)) // the address that was left is free again

	wantProblem(t, patch(map[string]string{"password": "12345678", "current_password": goodPassword}), http.StatusBadRequest, contract.CodeInvalid, "password")
	want(t, patch(map[string]string{"password": "another long walk", "current_password": goodPassword}), http.StatusOK)
	_, response = s.refresh(t, tokens.RefreshToken)
	wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	_, response = s.login(t, emailOf(3), goodPassword)
	wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	_, response = s.login(t, emailOf(3), "another long walk")
	want(t, response, http.StatusOK)
}

func TestOnlyAUsersTokenOpensAnAccount(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, path := range []string{"/api/v1/me", "/api/v1/me/addresses", "/api/v1/me/export"} {
		wantProblem(t, s.Do(t, http.MethodGet, path, nil, nil), http.StatusUnauthorized, contract.CodeUnauthorized, "")
		operator := map[string]string{"Authorization": s.Token(t, contract.RoleAdmin)}
		wantProblem(t, s.Do(t, http.MethodGet, path, nil, nil, operator), http.StatusForbidden, contract.CodeForbidden, "")
	}
}

func TestAnAddressBelongsToItsUser(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	ann, bob := s.register(t, emailOf(1)), s.register(t, emailOf(2))
	home := contract.Address{Name: "Ann", Line1: "1 Main Street", City: "Cork", Country: "IE"}
	var saved contract.SavedAddress
	want(t, s.Do(t, http.MethodPost, "/api/v1/me/addresses", home, &saved, bearing(ann)), http.StatusCreated)
	path := "/api/v1/me/addresses/" + saved.ID
	home.City = "Galway"
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		wantProblem(t, s.Do(t, method, path, home, nil, bearing(bob)), http.StatusNotFound, contract.CodeNotFound, "")
	}
	want(t, s.Do(t, http.MethodPut, path, home, nil, bearing(ann)), http.StatusOK)
	if got := s.addressesOf(t, ann); len(got) != 1 || got[0].Address != home || got[0].ID != saved.ID {
		t.Fatalf("ann has %+v", got)
	}
	if got := s.addressesOf(t, bob); got == nil || len(got) != 0 {
		t.Fatalf("bob has %+v", got)
	}
	home.Country = "XX"
	wantProblem(t, s.Do(t, http.MethodPut, path, home, nil, bearing(ann)), http.StatusBadRequest, contract.CodeInvalid, "country")
	want(t, s.Do(t, http.MethodDelete, path, nil, nil, bearing(ann)), http.StatusNoContent)
	wantProblem(t, s.Do(t, http.MethodDelete, path, nil, nil, bearing(ann)), http.StatusNotFound, contract.CodeNotFound, "")
	home.Country = "IE"
	for range contract.MaxAddresses {
		want(t, s.Do(t, http.MethodPost, "/api/v1/me/addresses", home, nil, bearing(bob)), http.StatusCreated)
	}
	wantProblem(t, s.Do(t, http.MethodPost, "/api/v1/me/addresses", home, nil, bearing(bob)), http.StatusConflict, contract.CodeConflict, "")
}

func (s shop) addressesOf(t *testing.T, tokens Tokens) []contract.SavedAddress {
	t.Helper()
	var list struct {
		Items []contract.SavedAddress `json:"items"`
	}
	want(t, s.Do(t, http.MethodGet, "/api/v1/me/addresses", nil, &list, bearing(tokens)), http.StatusOK)
	return list.Items
}

func TestErasingLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	tokens := s.register(t, emailOf(1))
	other := s.register(t, emailOf(2))
	address := contract.Address{Name: "Ann", Line1: "1 Main Street", City: "Cork", Country: "IE"}
	want(t, s.Do(t, http.MethodPost, "/api/v1/me/addresses", address, nil, bearing(tokens)), http.StatusCreated)
	want(t, s.Do(t, http.MethodDelete, "/api/v1/me", nil, nil, bearing(tokens)), http.StatusNoContent)
	for table, others := range map[string]int{"users": 1, "user_addresses": 0, "sessions": 1, "login_directory": 1} {
		var left int
		if err := s.DB.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&left); err != nil || left != others {
			t.Errorf("%s holds %d rows, want %d (%v)", table, left, others, err)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		wantProblem(t, s.Do(t, method, "/api/v1/me", nil, nil, bearing(tokens)), http.StatusUnauthorized, contract.CodeUnauthorized, "")
	}
	wantProblem(t, s.Do(t, http.MethodPost, "/api/v1/me/addresses", address, nil, bearing(tokens)), http.StatusUnauthorized, contract.CodeUnauthorized, "")
	_, response := s.refresh(t, tokens.RefreshToken)
	wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	_, response = s.login(t, emailOf(1), goodPassword)
	wantProblem(t, response, http.StatusUnauthorized, contract.CodeUnauthorized, "")
	want(t, s.Do(t, http.MethodGet, "/api/v1/me", nil, nil, bearing(other)), http.StatusOK)
	s.register(t, emailOf(1))
}

func TestTheExportHoldsAllThatIsKept(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	tokens := s.register(t, emailOf(1))
	s.Neighbour(t, contract.ServiceOrder, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/orders" || r.Header.Get("Authorization") != "Bearer "+tokens.AccessToken {
			t.Errorf("orders were asked for with %s and %q", r.URL, r.Header.Get("Authorization"))
		}
		page := map[string]any{"items": []contract.Order{{ID: "ord_use_2"}}, "next_cursor": "ord_use_2"}
		if r.URL.Query().Get("cursor") != "" {
			page = map[string]any{"items": []contract.Order{{ID: "ord_use_1"}}}
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(page); err != nil {
			t.Error(err)
		}
	}))
	address := contract.Address{Name: "Ann", Line1: "1 Main Street", City: "Cork", Country: "IE"}
	want(t, s.Do(t, http.MethodPost, "/api/v1/me/addresses", address, nil, bearing(tokens)), http.StatusCreated)
	var all Export
	want(t, s.Do(t, http.MethodGet, "/api/v1/me/export", nil, &all, bearing(tokens)), http.StatusOK)
	if all.User != tokens.User || len(all.Addresses) != 1 || all.Addresses[0].Address != address || len(all.Sessions) != 1 || len(all.Orders) != 2 || all.Orders[1].ID != "ord_use_1" {
		t.Fatalf("%+v", all)
	}
}

func TestAnAdminGivesARole(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	tokens := s.register(t, emailOf(1))
	path := "/api/v1/admin/users/" + tokens.User.ID + "/role"
	admin := map[string]string{"Authorization": s.Token(t, contract.RoleAdmin)}
	role := map[string]string{"role": contract.RoleSupport}
	wantProblem(t, s.Do(t, http.MethodPut, path, role, nil, bearing(tokens)), http.StatusForbidden, contract.CodeForbidden, "")
	want(t, s.Do(t, http.MethodPut, path, role, nil, admin), http.StatusOK)
	wantProblem(t, s.Do(t, http.MethodPut, "/api/v1/admin/users/usr_use_01ARZ3NDEKTSV4RRFFQ69G5FAV/role", role, nil, admin), http.StatusNotFound, contract.CodeNotFound, "")
	wantProblem(t, s.Do(t, http.MethodPut, "/api/v1/admin/users/ann/role", role, nil, admin), http.StatusNotFound, contract.CodeNotFound, "")
	after, response := s.refresh(t, tokens.RefreshToken)
	if want(t, response, http.StatusOK); after.User.Role != contract.RoleSupport {
		t.Fatalf("%+v", after.User)
	}
}
