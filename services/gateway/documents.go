package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/services/gateway/openapi"
)

const (
	mergeEvery       = 10 * time.Second
	documentTimeout  = time.Second
	pathOwnDocument  = "/openapi.json"
	sampleOfAnyParam = "x"
)

// documents keeps the services' OpenAPI documents and what they merge to. A service that is away keeps its last description.
type documents struct {
	services []string
	matcher  *matcher
	// fetch gives a service's document as it is now.
	fetch func(ctx context.Context, service string) ([]byte, error)
	log   *slog.Logger

	merged atomic.Pointer[mergedDocument]
	// refreshing is held by the one who fetches, and guards latest.
	refreshing sync.Mutex
	latest     map[string][]byte
}

// mergedDocument is ready to be sent.
type mergedDocument struct {
	JSON, Page []byte
	ETag       string
	// missing are the services whose documents have never been seen.
	missing []string
}

func newDocuments(base *kit.Base, matcher *matcher, neighbours []string) *documents {
	d := &documents{services: append([]string{contract.ServiceGateway}, neighbours...), matcher: matcher, log: base.Log, latest: map[string][]byte{}}
	d.fetch = func(ctx context.Context, service string) ([]byte, error) {
		if service == contract.ServiceGateway {
			return ownDocument(base)
		}
		// A service that Consul does not name is not waited for.
		if len(base.Discovery.Instances(service)) == 0 {
			return nil, fmt.Errorf("Consul knows no healthy %s", service) //nolint:staticcheck // a proper noun
		}
		var document json.RawMessage
		err := base.Client.Do(ctx, httpx.Call{Service: service, Method: http.MethodGet, Path: pathOwnDocument, Out: &document, Timeout: documentTimeout})
		return document, err
	}
	return d
}

// ownDocument asks the gateway's own app without a connection: its address may not be in Consul yet.
func ownDocument(base *kit.Base) ([]byte, error) {
	var request fasthttp.RequestCtx
	request.Request.SetRequestURI(pathOwnDocument)
	base.App.Handler()(&request)
	if status := request.Response.StatusCode(); status != http.StatusOK {
		return nil, fmt.Errorf("the gateway's own OpenAPI document: status %d", status)
	}
	return bytes.Clone(request.Response.Body()), nil
}

// renew asks every service for its part and merges them anew.
func (d *documents) renew(ctx context.Context) error {
	d.refreshing.Lock()
	defer d.refreshing.Unlock()
	return d.refresh(ctx, d.services)
}

// current gives the merged document. While some service has never been seen, whoever asks first looks for it once more.
func (d *documents) current(ctx context.Context) (*mergedDocument, error) {
	merged := d.merged.Load()
	if merged != nil && len(merged.missing) == 0 {
		return merged, nil
	}
	if merged == nil {
		d.refreshing.Lock()
	} else if !d.refreshing.TryLock() {
		return merged, nil
	}
	defer d.refreshing.Unlock()
	wanted := d.services
	if merged = d.merged.Load(); merged != nil {
		wanted = merged.missing
	}
	if err := d.refresh(ctx, wanted); err != nil {
		return nil, err
	}
	return d.merged.Load(), nil
}

// refresh fetches some services' documents at once and merges what is known. The caller holds refreshing.
func (d *documents) refresh(ctx context.Context, services []string) error {
	fetched := make([][]byte, len(services))
	var asked sync.WaitGroup
	for i, service := range services {
		asked.Go(func() {
			document, err := d.fetch(ctx, service)
			if err != nil {
				d.log.DebugContext(ctx, "A service's OpenAPI document could not be had.", "of", service, "error", httpx.ErrorChain(err))
				return
			}
			fetched[i] = document
		})
	}
	asked.Wait()
	changed := d.merged.Load() == nil
	for i, service := range services {
		if fetched[i] != nil && !bytes.Equal(fetched[i], d.latest[service]) {
			d.latest[service], changed = fetched[i], true
		}
	}
	if !changed {
		return nil
	}
	merged, err := d.merge()
	if err != nil {
		return err
	}
	d.merged.Store(merged)
	return nil
}

func (d *documents) merge() (*mergedDocument, error) {
	merged := &mergedDocument{}
	var sources []openapi.Source
	for _, service := range d.services {
		if document, seen := d.latest[service]; seen {
			sources = append(sources, openapi.Source{Service: service, Document: document})
		} else {
			merged.missing = append(merged.missing, service)
		}
	}
	var err error
	if merged.JSON, err = openapi.Merge(sources, d.public, merged.missing); err != nil {
		return nil, err
	}
	if merged.Page, err = openapi.Page(merged.JSON); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(merged.JSON)
	merged.ETag = httpx.ETag(hex.EncodeToString(sum[:8]))
	return merged, nil
}

// public says whether the route table leads a documented operation to its service.
func (d *documents) public(service, method, path string) bool {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = sampleOfAnyParam
		}
	}
	if len(path) == 0 || slices.Contains(segments[1:], "") {
		return false
	}
	route, _ := d.matcher.find(method, strings.Join(segments, "/"))
	return route != nil && route.Service == service
}
