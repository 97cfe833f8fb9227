package httpx_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/secret"
)

func TestNewClientAt_SendsSecretToAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get(contract.HeaderInternal); got != "secret" {
			t.Errorf("got the secret %q", got)
		}
		if _, err := io.WriteString(w, `{"n":7}`); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	client := httpx.NewClientAt(address, secret.New("secret"))
	t.Cleanup(client.Close)
	var decoded struct{ N int }
	err := client.Do(t.Context(), httpx.Call{Service: "shop", Path: "/n", Out: &decoded})
	if err != nil || decoded.N != 7 {
		t.Errorf("got %+v, %v", decoded, err)
	}
	var raw []byte
	elsewhere := httpx.NewClientAt("127.0.0.1:1", secret.New("secret"))
	t.Cleanup(elsewhere.Close)
	err = elsewhere.At(address).Do(t.Context(), httpx.Call{Service: "shop", Path: "/n", Out: &raw})
	if err != nil || string(raw) != `{"n":7}` {
		t.Errorf("got %s, %v", raw, err)
	}
	err = elsewhere.Do(t.Context(), httpx.Call{Service: "shop", Path: "/n"})
	var typed *contract.Error
	if !errors.As(err, &typed) || typed.Code != contract.CodeUnavailable {
		t.Errorf("an address without a listener: %v", err)
	}
}
