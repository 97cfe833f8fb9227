package search

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

const pathRules = "/api/v1/admin/search/"

// private keeps what merchants read out of every cache.
const private = "private, no-store"

// rulesOf is what merchants do with one kind of rules.
type rulesOf[T interface{ validate(language) error }] struct {
	kind     string
	store    *store
	language language
	now      func() time.Time
}

func (k rulesOf[T]) routes(to *httpx.API, about string) {
	path := pathRules + k.kind
	readers := httpx.ForRoles(contract.RoleSupport, contract.RoleMerchandiser, contract.RoleAdmin)
	writers := httpx.ForRoles(contract.RoleMerchandiser, contract.RoleAdmin)
	operation := func(verb, method, path, summary string, who []map[string][]string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: verb + "-search-" + k.kind, Method: method, Path: path, Summary: summary, Tags: []string{"search"}, Security: who,
			Errors: append(errors, http.StatusServiceUnavailable)}
	}
	httpx.Handle(to, operation("list", http.MethodGet, path, "List "+about, readers), k.list)
	httpx.Handle(to, operation("get", http.MethodGet, path+"/{name}", "Read "+about, readers, http.StatusNotFound), k.get)
	put := operation("put", http.MethodPut, path+"/{name}", "Say "+about+"; in every region within seconds", writers, http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed)
	httpx.Handle(to, put, k.put)
	remove := operation("delete", http.MethodDelete, path+"/{name}", "Forget "+about, writers, http.StatusNotFound, http.StatusPreconditionFailed)
	remove.DefaultStatus = http.StatusNoContent
	httpx.Handle(to, remove, k.remove)
}

func asRule[T any](kept keptRule) (Rule[T], error) {
	r := Rule[T]{Name: kept.name, Version: kept.version, UpdatedAt: kept.updatedAt}
	return r, json.Unmarshal(kept.terms, &r.Rule)
}

type ruleOutput[T any] struct {
	ETag         string `header:"ETag" doc:"For If-Match"`
	CacheControl string `header:"Cache-Control"`
	Body         Rule[T]
}

func ruleTag(r keptRule) string { return httpx.ETag(r.name, r.version, r.updatedAt.UnixMicro()) }

func answerRule[T any](kept keptRule) (*ruleOutput[T], error) {
	r, err := asRule[T](kept)
	return &ruleOutput[T]{ETag: ruleTag(kept), CacheControl: private, Body: r}, err
}

type rulesOutput[T any] struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Items []Rule[T] `json:"items"`
	}
}

func (k rulesOf[T]) list(ctx context.Context, _ *struct{}) (*rulesOutput[T], error) {
	all, err := k.store.ofKind(ctx, k.kind)
	if err != nil {
		return nil, err
	}
	output := &rulesOutput[T]{CacheControl: private}
	output.Body.Items = []Rule[T]{}
	for _, each := range all {
		r, err := asRule[T](each)
		if err != nil {
			return nil, err
		}
		output.Body.Items = append(output.Body.Items, r)
	}
	return output, nil
}

type ruleInput struct {
	Name string `path:"name" maxLength:"63" pattern:"^[a-z0-9][a-z0-9-]*$"`
}

func (k rulesOf[T]) get(ctx context.Context, input *ruleInput) (*ruleOutput[T], error) {
	kept, err := k.store.rule(ctx, k.kind, input.Name)
	if err != nil {
		return nil, err
	}
	return answerRule[T](kept)
}

type putRuleInput[T any] struct {
	Name    string `path:"name" maxLength:"63" pattern:"^[a-z0-9][a-z0-9-]*$"`
	IfMatch string `header:"If-Match" maxLength:"200" doc:"Refuse with 412 unless this is the newest ETag"`
	Body    T
}

// put makes a rule, or takes the place of the one that is called so.
func (k rulesOf[T]) put(ctx context.Context, input *putRuleInput[T]) (*ruleOutput[T], error) {
	if err := input.Body.validate(k.language); err != nil {
		return nil, err
	}
	terms, err := json.Marshal(input.Body)
	if err != nil {
		return nil, err
	}
	before, err := k.asSeen(ctx, input.Name, input.IfMatch)
	isNew := contract.CodeOf(err) == contract.CodeNotFound && input.IfMatch == ""
	if err != nil && !isNew {
		return nil, err
	}
	wanted := keptRule{kind: k.kind, name: input.Name, terms: terms, version: before.version + 1, updatedAt: k.now().UTC().Truncate(time.Microsecond)}
	if isNew {
		err = k.store.add(ctx, wanted)
	} else {
		err = k.store.replace(ctx, wanted)
	}
	if err != nil {
		return nil, err
	}
	return answerRule[T](wanted)
}

// asSeen reads a rule for a change by someone who has seen the version that ifMatch names ("" for any).
func (k rulesOf[T]) asSeen(ctx context.Context, name, ifMatch string) (keptRule, error) {
	kept, err := k.store.rule(ctx, k.kind, name)
	if err == nil && ifMatch != "" && !httpx.Matches(ifMatch, ruleTag(kept)) {
		err = errRuleMoved()
	}
	return kept, err
}

type removeRuleInput struct {
	Name    string `path:"name" maxLength:"63" pattern:"^[a-z0-9][a-z0-9-]*$"`
	IfMatch string `header:"If-Match" maxLength:"200" doc:"Refuse with 412 unless this is the newest ETag"`
}

func (k rulesOf[T]) remove(ctx context.Context, input *removeRuleInput) (*struct{}, error) {
	kept, err := k.asSeen(ctx, input.Name, input.IfMatch)
	if err != nil {
		return nil, err
	}
	return nil, k.store.remove(ctx, kept)
}
