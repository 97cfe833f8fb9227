package identity

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/kittest"
)

// accountOf makes a user of eu-west who is not stored yet.
func accountOf(n int) account {
	id := contract.User{ID: "usr_euw_01ARZ3NDEKTSV4RRFFQ69G5FA" + string(rune('A'+n)), Email: emailOf(n), Role: contract.RoleShopper, HomeRegion: "eu-west"}
	return account{User: id, passwordHash: "hash", addressHash: bytes.Repeat([]byte{byte(n)}, 32)}
}

// What each path costs: on CockroachDB a commit is a round trip between regions.
func TestRoundTripsAndCommits(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	st, now := s.store(), time.Now()
	a := accountOf(1)
	token, _ := newRefreshToken("ses_euw_01ARZ3NDEKTSV4RRFFQ69G5FAA")
	second, _ := newRefreshToken("ses_euw_01ARZ3NDEKTSV4RRFFQ69G5FAB")
	next, _ := newRefreshToken(token.session)
	for _, path := range []struct {
		name              string
		roundTrips, wrote int64
		do                func(context.Context) error
	}{
		{"register", 3, 1, func(ctx context.Context) error { return st.register(ctx, a, token, now) }},
		{"find for a login", 1, 0, func(ctx context.Context) error { _, _, err := st.byAddress(ctx, a.addressHash); return err }},
		{"find nobody for a login", 1, 0, func(ctx context.Context) error { _, _, err := st.byAddress(ctx, []byte("nobody")); return err }},
		{"open a session", 1, 1, func(ctx context.Context) error { return st.open(ctx, a, second, now) }},
		{"refresh", 1, 1, func(ctx context.Context) error { _, err := st.rotate(ctx, token, next, now); return err }},
		{"read oneself", 1, 0, func(ctx context.Context) error { _, err := st.byID(ctx, "eu-west", a.ID); return err }},
		{"log out", 1, 1, func(ctx context.Context) error { return st.end(ctx, next) }},
		{"erase", 1, 1, func(ctx context.Context) error { _, err := st.erase(ctx, "eu-west", a.ID); return err }},
	} {
		ctx, counter := sqldb.Count(t.Context())
		if err := path.do(ctx); err != nil {
			t.Fatalf("%s: %v", path.name, err)
		}
		if counter.RoundTrips() != path.roundTrips || counter.Commits() != path.wrote {
			t.Errorf("%s costs %d round trips and %d commits, want %d and %d", path.name, counter.RoundTrips(), counter.Commits(), path.roundTrips, path.wrote)
		}
	}
}

func TestOneAddressIsRegisteredOnceWhateverTheRegion(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	one, other := accountOf(1), accountOf(2)
	other.addressHash, other.HomeRegion, other.ID = one.addressHash, "us-east", strings.Replace(other.ID, "euw", "use", 1)
	results := make(chan error, 2)
	for _, a := range []account{one, other} {
		go func() {
			token, _ := newRefreshToken("ses" + a.ID[3:])
			results <- s.store().register(t.Context(), a, token, time.Now())
		}()
	}
	first, second := <-results, <-results
	if first == nil {
		first = second
	} else if second != nil {
		t.Fatalf("neither is registered: %v, %v", first, second)
	}
	if contract.CodeOf(first) != contract.CodeConflict {
		t.Fatalf("both are registered, or the loser was told %v", first)
	}
}

func TestOneOfManyRefreshesAtOnceIsServed(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	st, now := s.store(), time.Now()
	token, _ := newRefreshToken("ses_euw_01ARZ3NDEKTSV4RRFFQ69G5FAA")
	if err := st.register(t.Context(), accountOf(1), token, now); err != nil {
		t.Fatal(err)
	}
	const tries = 6
	results := make(chan error, tries)
	for range tries {
		go func() {
			next, _ := newRefreshToken(token.session)
			_, err := st.rotate(t.Context(), token, next, now)
			results <- err
		}()
	}
	served := 0
	for range tries {
		switch err := <-results; contract.CodeOf(err) {
		case "":
			served++
		case contract.CodeUnauthorized:
		default:
			t.Error(err)
		}
	}
	if served > 1 {
		t.Fatalf("one token served %d times", served)
	}
}

func TestARegistrationInOneRegionIsALoginInAnother(t *testing.T) {
	t.Parallel()
	s := openShop(t, kittest.WithRegion("ap-southeast"))
	a := accountOf(1)
	token, _ := newRefreshToken("ses_euw_01ARZ3NDEKTSV4RRFFQ69G5FAA")
	if err := s.store().register(t.Context(), a, token, time.Now()); err != nil {
		t.Fatal(err)
	}
	found, known, err := s.store().byAddress(t.Context(), a.addressHash)
	if err != nil || !known || found.HomeRegion != "eu-west" || found.ID != a.ID {
		t.Fatalf("found %+v %t %v", found, known, err)
	}
}

func TestHotQueriesUseTheirIndexes(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, seed := range []string{
		`INSERT INTO users (crdb_region, id, address_hash, email, name, password_hash, role, version, created_at, updated_at)
		SELECT 'us-east', 'usr' || n, decode(lpad(to_hex(n), 64, '0'), 'hex'), '', '', '', 'shopper', 1, now(), now() FROM generate_series(1, 3000) AS g(n)`,
		`INSERT INTO login_directory (address_hash, home_region) SELECT address_hash, 'us-east' FROM users`,
		`INSERT INTO sessions (crdb_region, id, user_id, token_hash, created_at, used_at, expires_at)
		SELECT 'us-east', 'ses' || n, 'usr' || n, ''::BYTEA, now(), now(), now() + n * INTERVAL '1 hour' FROM generate_series(1, 3000) AS g(n)`,
		`INSERT INTO user_addresses (crdb_region, user_id, id, address) SELECT 'us-east', 'usr' || n, 'adr', '{}' FROM generate_series(1, 3000) AS g(n)`,
	} {
		if _, err := s.DB.Exec(t.Context(), seed); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	for name, query := range map[string]struct {
		sql     string
		indexes []string
		args    []any
	}{
		"log in":             {selectByAddress, []string{"login_directory_pkey", "users_by_address"}, []any{[]byte("x")}},
		"oneself":            {selectByID, []string{"users_pkey"}, []any{"us-east", "usr1"}},
		"refresh":            {rotateSession, []string{"sessions_pkey", "users_pkey"}, []any{"us-east", "ses1", []byte("x"), []byte("y"), now, now}},
		"addresses":          {addressesOfUser, []string{"user_addresses_pkey"}, []any{"us-east", "usr1"}},
		"a user's sessions":  {sessionsOfUser, []string{"sessions_of_user"}, []any{"us-east", "usr1"}},
		"sessions to forget": {expireSessions, []string{"sessions_for_expiry"}, []any{"us-east", now, 500}},
		"erase":              {eraseUser, []string{"users_pkey", "login_directory_pkey"}, []any{"us-east", "usr1"}},
	} {
		var plan []string
		err := s.DB.InTx(t.Context(), func(tx pgx.Tx) error {
			// Without statistics the planner may take a few thousand rows for a few.
			if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
				return err
			}
			rows, err := tx.Query(t.Context(), `EXPLAIN `+query.sql, query.args...)
			if err != nil {
				return err
			}
			plan, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := strings.Join(plan, "\n")
		for _, index := range query.indexes {
			if !strings.Contains(text, index) || strings.Contains(text, "Seq Scan") {
				t.Errorf("%s does not use %s:\n%s", name, index, text)
			}
		}
	}
}
