package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestMain(m *testing.M) { kittest.Main(m) }

// street plays the catalog and the inventory.
type street struct {
	mu       sync.Mutex
	products map[string]int
	counts   map[string]contract.StockCount
	// closed, when positive, is the number of the first product that is not let in for now.
	closed int
}

func (s *street) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var results any
	switch r.URL.Path {
	case "/internal/v1/products/bulk", "/internal/v1/categories/bulk":
		slugs := read[struct{ Slug string }](r)
		if s.shuts(slugs) {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		results = s.write(slugs, strings.Contains(r.URL.Path, "products"))
	case "/internal/v1/counts":
		results = s.count(r)
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(map[string]any{"results": results}); err != nil {
		panic(err)
	}
}

func read[T any](r *http.Request) []T {
	var in struct{ Items []T }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		panic(err)
	}
	return in.Items
}

func (s *street) shuts(items []struct{ Slug string }) bool {
	return s.closed > 0 && slices.ContainsFunc(items, func(item struct{ Slug string }) bool {
		number, err := strconv.Atoi(strings.TrimPrefix(item.Slug, "p-"))
		return err == nil && number >= s.closed
	})
}

func (s *street) write(items []struct{ Slug string }, products bool) []contract.BulkResult {
	var results []contract.BulkResult
	for _, item := range items {
		result := contract.BulkResult{Slug: item.Slug, Outcome: "created"}
		if products {
			if s.products[item.Slug]++; s.products[item.Slug] > 1 {
				result.Outcome = "unchanged"
			}
		}
		if strings.HasPrefix(item.Slug, "bad") {
			result = contract.BulkResult{Slug: item.Slug, Outcome: "refused", Reason: "we do not like it", Field: "slug"}
		}
		results = append(results, result)
	}
	return results
}

func (s *street) count(r *http.Request) []contract.StockResult {
	var results []contract.StockResult
	for _, count := range read[contract.StockCount](r) {
		s.counts[count.SKU] = count
		results = append(results, contract.StockResult{SKU: count.SKU, Warehouse: count.Warehouse, Outcome: "applied"})
	}
	return results
}

type shop struct {
	*kittest.Service
	street *street
}

func quickConfig() Config {
	var quick Config
	quick.SetDefaults()
	quick.lookEvery, quick.saveEvery, quick.pause = 50*time.Millisecond, 20*time.Millisecond, 50*time.Millisecond
	return quick
}

func start(t *testing.T, config Config) shop {
	t.Helper()
	s := shop{kittest.Start(t, Definition().With(kit.WithConfig(config, New))), &street{products: map[string]int{}, counts: map[string]contract.StockCount{}}}
	s.Neighbour(t, contract.ServiceCatalog, http.HandlerFunc(s.street.serve))
	s.Neighbour(t, contract.ServiceInventory, http.HandlerFunc(s.street.serve))
	return s
}

func (s shop) send(t *testing.T, method, path string, content []byte, headers map[string]string) (importView, *http.Response) {
	t.Helper()
	all := map[string]string{"Authorization": s.Token(t, contract.RoleMerchandiser), "Content-Type": "text/csv"}
	for name, value := range headers {
		all[name] = value
	}
	var body any
	if content != nil {
		body = content
	}
	var v importView
	response := s.Do(t, method, path, body, &v, all)
	return v, response
}

func (s shop) wait(t *testing.T, id, state string) importView {
	t.Helper()
	var v importView
	kittest.Eventually(t, func() error {
		v, _ = s.send(t, http.MethodGet, path+"/"+id, nil, nil)
		if v.State != state {
			return fmt.Errorf("the import is %s: %s", v.State, v.Failure)
		}
		return nil
	})
	return v
}

// csvFile makes a Shopify file with descriptions of so many bytes.
func csvFile(products, description int) []byte {
	var file bytes.Buffer
	file.WriteString("Handle,Title,Body (HTML),Type,Variant SKU,Variant Inventory Qty,Variant Price\n")
	for i := range products {
		fmt.Fprintf(&file, "p-%d,Product,%s,Shirts,SKU-%d,%d,1.00\n", i, strings.Repeat("x", description), i, i)
	}
	return file.Bytes()
}

func TestAWholeFileIsImported(t *testing.T) {
	t.Parallel()
	s := start(t, quickConfig())
	file := append(csvFile(250, 0), "bad-1,Bad,,Shirts,BAD,1,1.00\nbad-2,,,Shirts,BAD2,1,1.00\n"...)
	created, response := s.send(t, http.MethodPost, path+"?currency=EUR&warehouse=dub-1", file, nil)
	if response.StatusCode != http.StatusAccepted || response.Header.Get("Location") != path+"/"+created.ID || created.Received != int64(len(file)) {
		t.Fatalf("%d %v %+v", response.StatusCode, response.Header, created)
	}
	done := s.wait(t, created.ID, stateDone)
	if done.Progress != 1 || done.File.Products != 251 || done.File.Rows != 252 || done.File.Refused != 1 || len(done.File.Refusals) != 1 ||
		done.Shop.Created != 250 || done.Shop.Refused != 1 || len(done.Refusals) != 1 || done.Shop.StockSet != 250 || done.File.Format != "shopify" {
		t.Fatalf("%+v", done)
	}
	if count := s.street.counts["SKU-7"]; count.OnHand != 7 || count.Warehouse != "dub-1" || !strings.HasPrefix(count.Reference, "import:") {
		t.Errorf("%+v", count)
	}
	var pieces int
	if err := s.DB.QueryRow(t.Context(), `SELECT count(*) FROM import_pieces`).Scan(&pieces); err != nil || pieces != 0 {
		t.Errorf("%d pieces are left, %v", pieces, err)
	}
	var list struct{ Items []importView }
	s.Do(t, http.MethodGet, path, nil, &list, map[string]string{"Authorization": s.Token(t, contract.RoleSupport)})
	if len(list.Items) != 1 || list.Items[0].ID != created.ID {
		t.Errorf("%+v", list)
	}
}

func TestAFileMayComeInParts(t *testing.T) {
	t.Parallel()
	s := start(t, quickConfig())
	file := csvFile(4000, 800) // more than two pieces
	if len(file) < 3*pieceSize {
		t.Fatalf("only %d bytes", len(file))
	}
	half := len(file)/2 + 7
	created, _ := s.send(t, http.MethodPost, path, file[:half], map[string]string{"Upload-Complete": "?0"})
	if created.State != stateReceiving || created.Received != int64(half) {
		t.Fatalf("%+v", created)
	}
	part := path + "/" + created.ID
	if _, response := s.send(t, http.MethodPatch, part, file[half:], map[string]string{"Upload-Offset": "3"}); response.StatusCode != http.StatusConflict {
		t.Fatalf("a part at a wrong place: %d", response.StatusCode)
	} else if problem, err := io.ReadAll(response.Body); err != nil || !bytes.Contains(problem, fmt.Appendf(nil, `"upload_offset":%d`, half)) {
		t.Errorf("%v %s", err, problem)
	}
	if _, response := s.send(t, http.MethodPatch, part, file[half:], map[string]string{"Upload-Offset": fmt.Sprint(half), "Upload-Complete": "?1"}); response.StatusCode != http.StatusAccepted {
		t.Fatalf("the last part: %d", response.StatusCode)
	}
	done := s.wait(t, created.ID, stateDone)
	if done.Shop.Created != 4000 || done.File.BytesRead != int64(len(file)) {
		t.Fatalf("%+v", done)
	}
	if _, response := s.send(t, http.MethodPatch, part, file[:5], map[string]string{"Upload-Offset": fmt.Sprint(len(file))}); response.StatusCode != http.StatusConflict {
		t.Errorf("a part after the last: %d", response.StatusCode)
	}
}

func TestAnImportGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	s := start(t, quickConfig())
	s.street.closed = 500
	created, _ := s.send(t, http.MethodPost, path, csvFile(1000, 0), nil)
	kittest.Eventually(t, func() error {
		v, _ := s.send(t, http.MethodGet, path+"/"+created.ID, nil, nil)
		if v.Shop.Created < 500 {
			return fmt.Errorf("%d products are in", v.Shop.Created)
		}
		return nil
	})
	s.Restart(t)
	s.street.mu.Lock()
	s.street.closed = 0
	s.street.mu.Unlock()
	done := s.wait(t, created.ID, stateDone)
	if done.Shop.Created != 1000 || done.Shop.Unchanged != 0 || done.File.Products != 1000 {
		t.Fatalf("%+v", done)
	}
	for slug, times := range s.street.products {
		if times != 1 {
			t.Fatalf("%s was sent %d times", slug, times)
		}
	}
}

// A worker that dies without a word is followed by another when its lease ends, and may write no more.
func TestALeaseEnds(t *testing.T) {
	t.Parallel()
	s := start(t, quickConfig())
	now := time.Now().UTC().Truncate(time.Microsecond)
	st := &store{s.DB}
	j, err := newJob("imp_euw_01ARZ3NDEKTSV4RRFFQ69G5FAV", s.Regions[1], s.Regions, "", "", "", now)
	if err != nil {
		t.Fatal(err)
	}
	content := csvFile(3, 0)
	if err := j.receive(0, len(content), true); err != nil {
		t.Fatal(err)
	}
	if err := st.create(t.Context(), j, content); err != nil {
		t.Fatal(err)
	}
	region := s.Regions[1].Name
	claimed, found, err := st.claim(t.Context(), region, "one", now, time.Minute)
	if err != nil || !found {
		t.Fatalf("%v %v", found, err)
	}
	if _, found, err := st.claim(t.Context(), region, "two", now.Add(59*time.Second), time.Minute); err != nil || found {
		t.Fatalf("a leased import was claimed: %v", err)
	}
	if _, found, err := st.claim(t.Context(), region, "two", now.Add(time.Minute), time.Minute); err != nil || !found {
		t.Fatalf("an import whose lease ended was not claimed: %v", err)
	}
	if err := st.save(t.Context(), claimed, "one", now, time.Minute); !errors.Is(err, errLeaseLost) {
		t.Errorf("the first worker wrote: %v", err)
	}
	claimed.State = stateDone
	if err := st.end(t.Context(), claimed, "one", now); err == nil {
		t.Error("the first worker ended it")
	}
	if err := st.end(t.Context(), claimed, "two", now); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeImported(t *testing.T) {
	t.Parallel()
	s := start(t, quickConfig())
	for name, wrong := range map[string]struct {
		query  string
		body   []byte
		status int
	}{
		"empty": {"", nil, 400}, "format": {"?format=xls", []byte("x"), 400}, "currency": {"?currency=ABC", []byte("x"), 400},
		"warehouse": {"?warehouse=moon", []byte("x"), 400}, "too large": {"", make([]byte, MaxPart+1), 413},
	} {
		if _, response := s.send(t, http.MethodPost, path+wrong.query, wrong.body, nil); response.StatusCode != wrong.status {
			t.Errorf("%s: %d, want %d", name, response.StatusCode, wrong.status)
		}
	}
	for role, status := range map[string]int{contract.RoleShopper: 403, contract.RoleSupport: 403, "": 401} {
		header := map[string]string{}
		if header["Authorization"] = ""; role != "" {
			header["Authorization"] = s.Token(t, role)
		}
		if _, response := s.send(t, http.MethodPost, path, []byte("x"), header); response.StatusCode != status {
			t.Errorf("%q: %d, want %d", role, response.StatusCode, status)
		}
	}
	if _, response := s.send(t, http.MethodGet, path+"/imp_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", nil, nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown import: %d", response.StatusCode)
	}
	created, _ := s.send(t, http.MethodPost, path, []byte("Handle,Title,Variant Price\na,\"cut"), nil)
	if failed := s.wait(t, created.ID, stateFailed); !strings.Contains(failed.Failure, "line 2") || len(s.street.products) != 0 {
		t.Errorf("%+v", failed)
	}
}

func TestUploadsHaveABound(t *testing.T) {
	t.Parallel()
	s := start(t, quickConfig())
	more := map[string]string{"Upload-Complete": "?0"}
	last, response := s.send(t, http.MethodPost, path, make([]byte, MaxPart), more)
	if response.StatusCode != http.StatusAccepted || last.Received != MaxPart {
		t.Fatalf("a part as large as may be: %d", response.StatusCode)
	}
	for range maxUnfinished - 1 {
		last, _ = s.send(t, http.MethodPost, path, []byte("x"), more)
	}
	if _, response := s.send(t, http.MethodPost, path, []byte("x"), more); response.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("one more: %d", response.StatusCode)
	}
	st := &store{s.DB}
	if err := st.abandon(t.Context(), s.Region.Name, time.Now().Add(time.Minute), time.Now()); err != nil {
		t.Fatal(err)
	}
	if v, _ := s.send(t, http.MethodGet, path+"/"+last.ID, nil, nil); v.State != stateFailed {
		t.Errorf("%+v", v)
	}
	if _, response := s.send(t, http.MethodPost, path, []byte("x"), more); response.StatusCode != http.StatusAccepted {
		t.Errorf("there is room again: %d", response.StatusCode)
	}
}

// Each statement of the worker and of the list goes by its index.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := start(t, quickConfig())
	_, err := s.DB.Exec(t.Context(), `INSERT INTO imports (crdb_region, id, state, format, currency, warehouse, received, progress, findings, failure, worker, leased_until, created_at, updated_at)
		SELECT 'us-east', 'imp_' || n, 'done', '', '', '', 0, '{}', '{}', '', '', now(), now(), now() FROM generate_series(1, 3000) n`)
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range []struct {
		sql, index string
		args       []any
	}{
		{claimSQL, "imports_for_work", []any{"us-east", time.Now()}},
		{newestSQL, "imports_for_list", []any{[]string{"us-east"}, 10}},
		{pieceSQL, "import_pieces_pkey", []any{"us-east", "x", 5}},
	} {
		explained := explain(t, s, plan.sql, plan.args...)
		if !strings.Contains(explained, plan.index) {
			t.Errorf("%s does not use %s:\n%s", plan.sql, plan.index, explained)
		}
	}
}
