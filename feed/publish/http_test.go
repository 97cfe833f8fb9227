package publish_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/feed/publish"
)

func TestHTTP_RequiresClient(t *testing.T) {
	t.Parallel()
	err := publish.HTTP{URL: "http://127.0.0.1:1"}.Send(t.Context(), publish.Products, json.RawMessage(`{"items":[]}`), nil)
	if err == nil || !strings.Contains(err.Error(), "publish.HTTP.Client") {
		t.Errorf("got %v", err)
	}
}
