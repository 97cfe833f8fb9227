// Package search is a search engine for one machine: the part of Typesense 28's HTTP API that Meridian uses, with Typesense's rules of
// typos, prefixes, ranking, filters and sorting. Documents are kept on disk and searched in memory, as Typesense does.
package search

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// Engine holds collections. Make one with Open.
type Engine struct {
	store *store
	admin string
	now   func() time.Time

	mu          sync.RWMutex
	collections map[string]*collection
	aliases     map[string]string
	keys        map[int64]apiKey
}

const (
	maxCollections = 1000
	// importBatch is how many lines of an import are written together.
	importBatch = 1000
)

// Open reads what is kept in a folder. The admin key may do everything.
func Open(folder, adminKey string) (*Engine, error) {
	if adminKey == "" {
		return nil, errors.New("the search engine needs an admin key")
	}
	kept, err := openStore(folder)
	if err != nil {
		return nil, err
	}
	e := &Engine{store: kept, admin: adminKey, now: time.Now, collections: map[string]*collection{}, aliases: map[string]string{}, keys: map[int64]apiKey{}}
	if err := e.load(); err != nil {
		return nil, errors.Join(err, kept.db.Close())
	}
	return e, nil
}

// Close lets go of the folder.
func (e *Engine) Close() error { return e.store.db.Close() }

// collection finds a collection by its name or an alias.
func (e *Engine) collection(name string) (*collection, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if target, isAlias := e.aliases[name]; isAlias {
		name = target
	}
	if c := e.collections[name]; c != nil {
		return c, nil
	}
	return nil, notFound("Not Found")
}

func (e *Engine) createCollection(s schema) (*collection, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.collections[s.Name] != nil {
		return nil, conflict("A collection with name `%s` already exists.", s.Name)
	}
	if len(e.collections) >= maxCollections {
		return nil, badRequest("There are %d collections already.", maxCollections)
	}
	s.CreatedAt = e.now().Unix()
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	if err := e.store.write(change{bucket: bucketSchemas, key: s.Name, value: text}); err != nil {
		return nil, err
	}
	c := newCollection(s)
	e.collections[s.Name] = c
	return c, nil
}

func (e *Engine) deleteCollection(name string) (*collection, error) {
	c, err := e.collection(name)
	if err != nil {
		return nil, notFound("No collection with name `%s` found.", name)
	}
	if err := c.beginWrite(); err != nil {
		return nil, err
	}
	defer c.writing.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.store.drop(c.Name); err != nil {
		return nil, fmt.Errorf("delete a collection: %w", err)
	}
	delete(e.collections, c.Name)
	c.gone = true
	return c, nil
}

// alter adds and drops fields. Documents that are there must fit what is added.
func (e *Engine) alter(c *collection, fields []field) error {
	if err := c.beginWrite(); err != nil {
		return err
	}
	defer c.writing.Unlock()
	next := c.schema
	next.Fields = slices.Clone(c.Fields)
	for _, f := range fields {
		at := slices.IndexFunc(next.Fields, func(old field) bool { return old.Name == f.Name })
		switch {
		case f.Drop && at < 0:
			return badRequest("Field `%s` is not part of collection schema.", f.Name)
		case f.Drop:
			next.Fields = slices.Delete(next.Fields, at, at+1)
		case at >= 0:
			return badRequest("Field `%s` is already part of the schema: To change this field, drop it first before adding it back to the schema.", f.Name)
		default:
			next.Fields = append(next.Fields, f)
		}
	}
	if err := next.prepare(); err != nil {
		return err
	}
	fresh := newCollection(next)
	for _, d := range c.slots {
		if d == nil {
			continue
		}
		again, err := next.read(d.source)
		if err != nil {
			return badRequest("Schema change is incompatible with the type of documents already stored in this collection. %s", err)
		}
		fresh.put(again)
	}
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := e.store.write(change{bucket: bucketSchemas, key: c.Name, value: text}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schema, c.slots, c.free, c.byID, c.all, c.texts, c.numbers = fresh.schema, fresh.slots, fresh.free, fresh.byID, fresh.all, fresh.texts, fresh.numbers
	return nil
}

// The actions of a write.
const (
	actionCreate  = "create"
	actionUpsert  = "upsert"
	actionUpdate  = "update"
	actionEmplace = "emplace"
)

// beginWrite makes the caller the only writer; it is refused when the collection was deleted meanwhile.
func (c *collection) beginWrite() error {
	c.writing.Lock()
	if c.gone {
		c.writing.Unlock()
		return notFound("Not Found")
	}
	return nil
}

// show lets searches find what was written.
func (c *collection) show(written map[string]*document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range written {
		c.put(d)
	}
}

// judge works out what a line of an import, or one document, becomes. The caller is the writer, and pending are those of the same batch.
func (c *collection) judge(text []byte, action string, pending map[string]*document) (*document, error) {
	var named struct {
		ID any `json:"id"`
	}
	if err := json.Unmarshal(text, &named); err != nil {
		return nil, badRequest("Bad JSON.")
	}
	id, _ := named.ID.(string)
	var before json.RawMessage
	if d := pending[id]; d != nil {
		before = d.source
	} else if slot, there := c.byID[id]; there {
		before = c.slots[slot].source
	}
	switch action {
	case actionCreate:
		if before != nil {
			return nil, conflict("A document with id %s already exists.", id)
		}
	case actionUpsert:
	case actionUpdate, actionEmplace:
		if before == nil && action == actionUpdate {
			return nil, notFound("Could not find a document with id: %s", id)
		}
		if before != nil {
			changed, err := merged(before, text)
			if err != nil {
				return nil, err
			}
			text = changed
		}
	default:
		return nil, badRequest("Parameter `action` must be a create|update|upsert|emplace.")
	}
	return c.schema.read(text)
}

// put writes one document.
func (e *Engine) put(c *collection, text []byte, action string) (*document, error) {
	if err := c.beginWrite(); err != nil {
		return nil, err
	}
	defer c.writing.Unlock()
	d, err := c.judge(text, action, nil)
	if err != nil {
		return nil, err
	}
	if err := e.store.write(change{bucketDocuments, c.Name, d.id, d.source}); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(d)
	return d, nil
}

// importLines writes documents, a line each, and answers each by a line: those of a thousand together, so that a crash leaves whole
// thousands, all of which were answered or none.
func (e *Engine) importLines(c *collection, body io.Reader, action string, answer *bufio.Writer) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 64<<10), maxDocument+1024)
	var batch [][]byte
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := e.importBatch(c, batch, action, answer)
		batch = batch[:0]
		return err
	}
	for lines.Scan() {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			batch = append(batch, bytes.Clone(line))
		}
		if len(batch) == importBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return badRequest("The import could not be read: %s", err)
	}
	return flush()
}

func (e *Engine) importBatch(c *collection, lines [][]byte, action string, answer *bufio.Writer) error {
	if err := c.beginWrite(); err != nil {
		return err
	}
	defer c.writing.Unlock()
	pending := map[string]*document{}
	var changes []change
	var answers []any
	for _, line := range lines {
		d, err := c.judge(line, action, pending)
		var refused *failure
		switch {
		case errors.As(err, &refused):
			answers = append(answers, map[string]any{"success": false, "error": refused.message, "code": refused.status, "document": string(line)})
		case err != nil:
			return err
		default:
			pending[d.id] = d
			changes = append(changes, change{bucketDocuments, c.Name, d.id, d.source})
			answers = append(answers, map[string]any{"success": true})
		}
	}
	if err := e.store.write(changes...); err != nil {
		return err
	}
	c.show(pending)
	encoder := json.NewEncoder(answer)
	for _, each := range answers {
		if err := encoder.Encode(each); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes documents by their ids and tells which there were.
func (e *Engine) remove(c *collection, ids ...string) ([]*stored, error) {
	if err := c.beginWrite(); err != nil {
		return nil, err
	}
	defer c.writing.Unlock()
	var gone []*stored
	var changes []change
	for _, id := range ids {
		if slot, there := c.byID[id]; there {
			gone = append(gone, c.slots[slot])
			changes = append(changes, change{bucketDocuments, c.Name, id, nil})
		}
	}
	if err := e.store.write(changes...); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range gone {
		c.take(d.id)
	}
	return gone, nil
}

// filtered gives the ids of the documents that a filter lets through, in order.
func (c *collection) filtered(filterBy string) ([]string, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	f, err := c.parseFilter(filterBy)
	if err != nil {
		return nil, err
	}
	var ids []string
	for it := c.allowed(f).Iterator(); it.HasNext(); {
		ids = append(ids, c.slots[it.Next()].id)
	}
	slices.Sort(ids)
	return ids, nil
}

// get gives a document's source.
func (c *collection) get(id string) (json.RawMessage, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	slot, there := c.byID[id]
	if !there {
		return nil, notFound("Could not find a document with id: %s", id)
	}
	return c.slots[slot].source, nil
}

func (c *collection) described() map[string]any {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.shown(len(c.byID))
}

// list gives all collections, by name.
func (e *Engine) list() []*collection {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make([]*collection, 0, len(e.collections))
	for _, name := range slices.Sorted(maps.Keys(e.collections)) {
		all = append(all, e.collections[name])
	}
	return all
}
