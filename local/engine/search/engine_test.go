package search_test

import (
	"bufio"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// What was answered is there after kill -9, whatever was going on.
func TestWhatWasAnsweredOutlivesAKill(t *testing.T) {
	t.Parallel()
	engine := &enginetest.SearchProcess{Address: fmt.Sprintf("127.0.0.1:%d", enginetest.Ports(t, 1)), Folder: filepath.Join(t.TempDir(), "data"), Key: "key"}
	url := engine.URL()
	if err := engine.Start(); err != nil {
		t.Fatal(err)
	}
	defer engine.Kill()
	call(t, url, http.MethodPost, "/collections", `{"name":"c","fields":[{"name":"title","type":"string"}]}`)
	call(t, url, http.MethodPut, "/aliases/a", `{"collection_name":"c"}`)
	call(t, url, http.MethodPut, "/collections/c/synonyms/s", `{"synonyms":["one","two"]}`)
	answered := 0
	for round := range 4 {
		enough := answered + 3 + 4*round
		killed := make(chan struct{})
		for ; ; answered++ {
			if answered == enough {
				go func() { // while the next is on its way
					engine.Kill()
					close(killed)
				}()
			}
			if !try(url, http.MethodPost, "/collections/c/documents?action=upsert", fmt.Sprintf(`{"id":"%d","title":"document %d"}`, answered, answered)) {
				break
			}
		}
		if answered < enough {
			t.Fatalf("document %d is refused", answered)
		}
		<-killed
		if err := engine.Start(); err != nil {
			t.Fatal(err)
		}
		for i := range answered {
			if !try(url, http.MethodGet, fmt.Sprintf("/collections/a/documents/%d", i), "") {
				t.Fatalf("document %d of %d that were answered is gone", i, answered)
			}
		}
	}
	if text := call(t, url, http.MethodGet, "/collections/a/documents/search?q=document&query_by=title", ""); !strings.Contains(text, `"found":`+fmt.Sprint(answered)) && !strings.Contains(text, `"found":`+fmt.Sprint(answered+1)) {
		t.Errorf("%d documents, and a search answers %.300s", answered, text)
	}
	if text := call(t, url, http.MethodGet, "/collections/c/synonyms", ""); !strings.Contains(text, `"two"`) {
		t.Errorf("the synonyms are %s", text)
	}
}

func request(url, method, path, body string) (*http.Response, error) {
	r, err := http.NewRequest(method, url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-TYPESENSE-API-KEY", "key")
	return httpclient.Default.Do(r)
}

func try(url, method, path, body string) bool {
	response, err := request(url, method, path, body)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode < 300
}

func call(t *testing.T, url, method, path, body string) string {
	t.Helper()
	response, err := request(url, method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text strings.Builder
	if _, err := bufio.NewReader(response.Body).WriteTo(&text); err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s (%v)", method, path, response.StatusCode, text.String(), err)
	}
	return text.String()
}
