package postgres_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/engine/postgres"
	"github.com/meridian-store/meridian/local/process"
)

// durable is a server as `meridian up` starts it. Its data lies below a folder with
// mode 0700, which is closed to the user that a server of root's runs as.
func durable(t *testing.T) (postgres.Config, *process.Process) {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	config := postgres.Config{
		Name:          "sql/postgres",
		DataDir:       filepath.Join(home, "sql", "data"),
		Port:          enginetest.Ports(t, 1),
		Password:      `it's "quoted" / and: odd@`,
		LogFile:       filepath.Join(home, "postgres.log"),
		DieWithParent: true,
	}
	return config, serve(t, config)
}

func serve(t *testing.T, config postgres.Config) *process.Process {
	t.Helper()
	spec, err := postgres.Spec(config)
	if err != nil {
		t.Fatal(err)
	}
	server, err := process.New(spec, process.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()) })
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return server
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Many of these connections are to servers that were killed.
		_ = conn.Close(context.Background())
	})
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, conn *pgx.Conn, query string) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not so within two minutes: %s", what)
		}
	}
}

func TestServerSurvivesTheDeathOfItsProcesses(t *testing.T) {
	t.Parallel()
	config, server := durable(t)
	conn := connect(t, config.URL("postgres"))
	execute(t, conn, "create table kept (id int primary key)")
	execute(t, conn, "insert into kept values (1)")

	// Death of one backend: the server ends all sessions and recovers by itself.
	witness := connect(t, config.URL("postgres"))
	backend := int(conn.PgConn().PID())
	if err := syscall.Kill(backend, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Until it has noticed, it serves as before.
	eventually(t, "the other session is ended", func() bool { return witness.Ping(t.Context()) != nil })
	eventually(t, "it serves after the death of a backend", func() bool {
		return postgres.Ready(t.Context(), config.URL("postgres")) == nil
	})
	if got := server.State().Restarts; got != 0 {
		t.Errorf("the death of a backend restarted the server %d times", got)
	}

	// Death of the server while a backend is too busy to notice.
	conn = connect(t, config.URL("postgres"))
	execute(t, conn, "insert into kept values (2)")
	busy := connect(t, config.URL("postgres"))
	ended := make(chan error, 1)
	go func() {
		_, err := busy.Exec(context.Background(), "select count(*) from generate_series(1, 1000000000000)")
		ended <- err
	}()
	eventually(t, "the long query runs", func() bool {
		return count(t, conn, "select count(*) from pg_stat_activity where state = 'active' and query like '%generate_series%' and pid <> pg_backend_pid()") == 1
	})
	before := server.State()
	if err := server.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it serves after its own death", func() bool {
		s := server.State()
		return s.Ready && s.PID != before.PID
	})
	if err := <-ended; err == nil {
		t.Error("the query of a killed server succeeded")
	}
	if got := server.State().Restarts; got != 1 {
		t.Errorf("it took %d restarts, want 1", got)
	}
	if got := count(t, connect(t, config.URL("postgres")), "select count(*) from kept"); got != 2 {
		t.Errorf("%d committed rows are left, want 2", got)
	}
}

func TestServerKeepsItsDataOverAStop(t *testing.T) {
	t.Parallel()
	config, server := durable(t)
	execute(t, connect(t, config.URL("postgres")), "create table kept (id int primary key)")
	server.Stop(t.Context())

	// What a power cut leaves behind: the pid file, and its pid is another's by now.
	stale := strconv.Itoa(os.Getpid()) + "\n" + config.DataDir + "\n"
	if err := os.WriteFile(filepath.Join(config.DataDir, "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	serve(t, config)
	if got := count(t, connect(t, config.URL("postgres")), "select count(*) from kept"); got != 0 {
		t.Errorf("the table has %d rows", got)
	}
}

func TestInterruptedInitializationIsBegunAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := postgres.Config{
		Name: "sql/postgres", DataDir: filepath.Join(dir, "data"), Port: enginetest.Ports(t, 1),
		Password: "secret", LogFile: filepath.Join(dir, "log"), Volatile: true, DieWithParent: true,
	}
	if err := os.MkdirAll(filepath.Join(config.DataDir+".making", "data", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	serve(t, config)
	if _, err := os.Stat(config.DataDir + ".making"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the unfinished folder is still there: %v", err)
	}
}

func TestForeignFolderIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	photo := filepath.Join(dir, "data", "photo.jpg")
	if err := os.MkdirAll(filepath.Dir(photo), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(photo, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	spec, err := postgres.Spec(postgres.Config{Name: "sql/postgres", DataDir: filepath.Dir(photo), Port: 1, Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.Prepare(t.Context()); !errors.Is(err, postgres.ErrNoCluster) {
		t.Errorf("got %v, want a refusal", err)
	}
	if _, err := os.Stat(photo); err != nil {
		t.Error(err)
	}
}

func TestPasswordIsNeeded(t *testing.T) {
	t.Parallel()
	config, _ := durable(t)
	config.Password = "wrong"
	err := postgres.Ready(t.Context(), config.URL("postgres"))
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "28P01" {
		t.Errorf("got %v, want invalid_password", err)
	}
}

func TestErrorsInTheLogShowNoData(t *testing.T) {
	t.Parallel()
	config, _ := durable(t)
	conn := connect(t, config.URL("postgres"))
	execute(t, conn, "create table shopper (email text primary key)")
	execute(t, conn, "insert into shopper values ('ada@example.com')")
	if _, err := conn.Exec(t.Context(), "insert into shopper values ('ada@example.com')"); err == nil {
		t.Fatal("a duplicate key was accepted")
	}
	if _, err := conn.Exec(t.Context(), "select 'ada@example.com' from nowhere"); err == nil {
		t.Fatal("a table that does not exist was read")
	}
	log, err := os.ReadFile(config.LogFile)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "shopper_pkey") {
		t.Errorf("the log lacks the error itself:\n%s", log)
	}
	if strings.Contains(string(log), "ada@") {
		t.Errorf("the log holds personal data:\n%s", log)
	}
}
