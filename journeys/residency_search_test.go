package journeys_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"
	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/kit/httpclient"
)

// marks are personal data that a test has planted, by what they stand for. Each is a word that is nowhere by chance.
type marks map[string]string

// search looks for marks and remembers where it found them, and how much it has read.
type search struct {
	forms map[string][]string
	seen  []string
	reads map[string]int
	// heap is what was read and not looked through yet: a copy keeps a hundred thousand small things, which are looked through together.
	heap []thing
	size int
}

// thing is what was read in one place.
type thing struct {
	where   string
	content []byte
}

// heapSize is how many bytes are looked through at once.
const heapSize = 1 << 20

func searchFor(planted marks) *search {
	s := &search{forms: map[string][]string{}, reads: map[string]int{}}
	for what, mark := range planted {
		s.forms[what] = formsOf(mark)
	}
	return s
}

// formsOf gives how a mark may be written where it is kept: as it is, in hexadecimal, in base64 wherever in the encoded text it
// begins, and as the hash by which whoever guesses it could know it again.
func formsOf(mark string) []string {
	forms := []string{mark, hex.EncodeToString([]byte(mark))}
	for skipped := range 3 {
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, skipped), mark...))
		// The characters at both ends hold bits of their neighbours too.
		forms = append(forms, encoded[4:len(encoded)-4])
	}
	plain := sha256.Sum256([]byte(mark))
	return append(forms, hex.EncodeToString(plain[:]), string(plain[:]))
}

// in searches one thing that was read, and keeps it until then; kind is what is counted.
func (s *search) in(kind, where string, content []byte) {
	s.reads[kind]++
	s.heap = append(s.heap, thing{where, content})
	if s.size += len(content); s.size >= heapSize {
		s.lookThrough()
	}
}

// found gives where marks are, of all that was read.
func (s *search) found() []string {
	s.lookThrough()
	return s.seen
}

// lookThrough looks through the heap as a whole, and through each thing only for what the whole has.
func (s *search) lookThrough() {
	var all bytes.Buffer
	for _, one := range s.heap {
		all.Write(one.content)
	}
	whole, lower := all.Bytes(), bytes.ToLower(all.Bytes())
	for what, forms := range s.forms {
		if !hold(forms, whole, lower) {
			continue
		}
		for _, one := range s.heap {
			if found := fmt.Sprintf("the %s is in %s", what, one.where); hold(forms, one.content, bytes.ToLower(one.content)) && !slices.Contains(s.seen, found) {
				s.seen = append(s.seen, found)
			}
		}
	}
	s.heap, s.size = nil, 0
}

// hold tells whether either text holds one of the forms.
func hold(forms []string, text, lower []byte) bool {
	return slices.ContainsFunc(forms, func(form string) bool {
		return bytes.Contains(text, []byte(form)) || bytes.Contains(lower, []byte(form))
	})
}

// broker searches every record of every topic, whether its transaction was committed or not.
func (s *search) broker(ctx context.Context, where string, seeds ...string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*1e6),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{}))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopicsWithInternal(ctx)
	if err != nil {
		return fmt.Errorf("list the topics of %s: %w", where, err)
	}
	starts, err := admin.ListStartOffsets(ctx, topics.Names()...)
	if err != nil {
		return fmt.Errorf("ask where the topics of %s begin: %w", where, err)
	}
	ends, err := admin.ListEndOffsets(ctx, topics.Names()...)
	if err != nil {
		return fmt.Errorf("ask where the topics of %s end: %w", where, err)
	}
	left, wanted := map[string]int64{}, map[string]map[int32]kgo.Offset{}
	ends.Each(func(end kadm.ListedOffset) {
		start, known := starts.Lookup(end.Topic, end.Partition)
		if !known || start.Offset >= end.Offset {
			return
		}
		left[fmt.Sprint(end.Topic, end.Partition)] = end.Offset
		if wanted[end.Topic] == nil {
			wanted[end.Topic] = map[int32]kgo.Offset{}
		}
		wanted[end.Topic][end.Partition] = kgo.NewOffset().AtStart()
	})
	client.AddConsumePartitions(wanted)
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read %s, of which %v are left: %w", where, left, err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			at := fmt.Sprint(record.Topic, record.Partition)
			if record.Offset+1 >= left[at] {
				delete(left, at)
			}
			if record.Attrs.IsControl() {
				return
			}
			content := append(append(bytes.Clone(record.Key), 0), record.Value...)
			for _, header := range record.Headers {
				content = append(append(content, header.Key...), header.Value...)
			}
			s.in("records", fmt.Sprintf("a record of %s in %s", record.Topic, where), content)
		})
	}
	return nil
}

// redis searches every key and all that it holds.
func (s *search) redis(ctx context.Context, where, address, password string) error {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, Password: password, DisableCache: true})
	if err != nil {
		return fmt.Errorf("connect to %s: %w", where, err)
	}
	defer client.Close()
	for cursor := uint64(0); ; {
		page, err := client.Do(ctx, client.B().Scan().Cursor(cursor).Count(1000).Build()).AsScanEntry()
		if err != nil {
			return fmt.Errorf("list the keys of %s: %w", where, err)
		}
		for _, key := range page.Elements {
			held, err := redisValue(ctx, client, key)
			if err != nil {
				return fmt.Errorf("read %s of %s: %w", key, where, err)
			}
			s.in("Redis keys", key+" in "+where, []byte(key+"\n"+held))
		}
		if cursor = page.Cursor; cursor == 0 {
			return nil
		}
	}
}

// redisValue writes down all that a key holds; nothing when it has gone meanwhile.
func redisValue(ctx context.Context, client rueidis.Client, key string) (string, error) {
	kind, err := client.Do(ctx, client.B().Type().Key(key).Build()).ToString()
	if err != nil {
		return "", err
	}
	read, known := map[string][]string{
		"string": {"GET", key}, "hash": {"HGETALL", key}, "list": {"LRANGE", key, "0", "-1"}, "set": {"SMEMBERS", key},
		"zset": {"ZRANGE", key, "0", "-1"}, "stream": {"XRANGE", key, "-", "+"},
	}[kind]
	if kind == "none" {
		return "", nil
	}
	if !known {
		return "", fmt.Errorf("a key of the kind %q can not be searched", kind)
	}
	held, err := client.Do(ctx, client.B().Arbitrary(read...).Build()).ToAny()
	if rueidis.IsRedisNil(err) {
		return "", nil
	}
	return fmt.Sprint(held), err
}

// consul searches the keys and values, and what is registered and asked.
func (s *search) consul(ctx context.Context, where, address string) error {
	config := api.DefaultNonPooledConfig()
	config.Address = address
	client, err := api.NewClient(config)
	if err != nil {
		return err
	}
	pairs, _, err := client.KV().List("", (&api.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("read the keys of %s: %w", where, err)
	}
	for _, pair := range pairs {
		s.in("Consul answers", pair.Key+" in "+where, append([]byte(pair.Key), pair.Value...))
	}
	for _, path := range []string{"catalog/services", "agent/services", "agent/checks", "health/state/any", "session/list", "event/list", "query"} {
		header := map[string]string{"Connection": "close"}
		request := httpclient.Request{URL: "http://" + address + "/v1/" + path, Header: header}
		got, err := exchange(ctx, request)
		if err != nil || got.status != http.StatusOK {
			return fmt.Errorf("%s answers %d to %s (%w)", where, got.status, path, err)
		}
		s.in("Consul answers", "/v1/"+path+" of "+where, got.body)
	}
	return nil
}

// files searches every file below a folder except those below the ones that are left out.
func (s *search) files(root string, except ...string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // engines replace their files while they run
		case err != nil:
			return err
		case entry.IsDir():
			for _, left := range except {
				if path == left {
					return filepath.SkipDir
				}
			}
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		s.in("files", path, content)
		return err
	})
}

// sql searches every row of every table of every database, except rows that are homed in the region.
func (s *search) sql(ctx context.Context, owner, home string) error {
	databases, err := column(ctx, owner, `SELECT datname::text FROM pg_database WHERE NOT datistemplate ORDER BY datname`)
	if err != nil {
		return err
	}
	for _, name := range databases {
		address, err := url.Parse(owner)
		if err != nil {
			return errors.New("the owner's address is no URL")
		}
		address.Path = "/" + name
		if err := s.database(ctx, name, address.String(), home); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) database(ctx context.Context, name, address, home string) error {
	tables, err := column(ctx, address, `SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
		WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema', 'crdb_internal') ORDER BY 1`)
	if err != nil {
		return err
	}
	homed, err := column(ctx, address, `SELECT format('%I.%I', table_schema, table_name) FROM information_schema.columns WHERE column_name = 'crdb_region'`)
	if err != nil {
		return err
	}
	s.reads["tables"] += len(tables)
	for _, table := range tables {
		query, args := `SELECT row_of::text FROM `+table+` AS row_of`, []any{}
		if strings.Contains(" "+strings.Join(homed, " ")+" ", " "+table+" ") {
			query, args = query+` WHERE row_of.crdb_region::text <> $1`, append(args, home)
		}
		rows, err := column(ctx, address, query, args...)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", table, name, err)
		}
		for _, row := range rows {
			s.in("rows", "a row of "+table+" in "+name, []byte(row))
		}
	}
	return nil
}

// column runs a query of one column of text on a connection of its own.
func column(ctx context.Context, address, query string, args ...any) (values []string, err error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
