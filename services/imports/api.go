package imports

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed/publish"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpx"
)

const path = "/api/v1/admin/imports"

// partTimeout is how long one part may take to come in.
const partTimeout = 14 * time.Second

// maxBody is one more than a part may have, because huma refuses a body that reaches its limit; the job judges the part itself.
const maxBody = MaxPart + 1

// Routes declares the service's HTTP operations.
func (s *Service) Routes(api *httpx.API) {
	readers := httpx.ForRoles(contract.RoleSupport, contract.RoleMerchandiser, contract.RoleAdmin)
	writers := httpx.ForRoles(contract.RoleMerchandiser, contract.RoleAdmin)
	httpx.Handle(api, huma.Operation{OperationID: "create-import", Method: http.MethodPost, Path: path, Tags: []string{"admin"}, Security: writers,
		Summary: "Import a product feed: the body is the file, or its first part with Upload-Complete: ?0", DefaultStatus: http.StatusAccepted,
		MaxBodyBytes: maxBody, BodyReadTimeout: partTimeout}, s.post)
	httpx.Handle(api, huma.Operation{OperationID: "append-import", Method: http.MethodPatch, Path: path + "/{id}", Tags: []string{"admin"}, Security: writers,
		Summary: "Send the next part of a feed", DefaultStatus: http.StatusAccepted, MaxBodyBytes: maxBody, BodyReadTimeout: partTimeout}, s.patch)
	httpx.Handle(api, huma.Operation{OperationID: "get-import", Method: http.MethodGet, Path: path + "/{id}", Tags: []string{"admin"}, Security: readers,
		Summary: "See how far an import is"}, s.get)
	httpx.Handle(api, huma.Operation{OperationID: "list-imports", Method: http.MethodGet, Path: path, Tags: []string{"admin"}, Security: readers,
		Summary: "List imports, newest first"}, s.list)
}

// importView is an import as operators see it.
type importView struct {
	ID        string          `json:"id"`
	State     string          `json:"state" enum:"receiving,queued,running,done,failed"`
	Region    string          `json:"region" doc:"The region that works on it"`
	Format    string          `json:"format"`
	Currency  string          `json:"currency"`
	Warehouse string          `json:"warehouse"`
	Received  int64           `json:"received" doc:"Bytes of the file that have come in: where the next part begins"`
	Progress  float64         `json:"progress" minimum:"0" maximum:"1" doc:"How much of the file is done"`
	File      findings        `json:"file" doc:"What the file held so far"`
	Shop      publish.Outcome `json:"shop" doc:"What the shop made of it so far"`
	Refusals  []string        `json:"refusals,omitempty" doc:"What the shop refused, in the order of the file"`
	Failure   string          `json:"failure,omitempty" doc:"Why it failed, or what it waits for"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

func view(j job) importView {
	v := importView{ID: j.ID, State: j.State, Region: j.Region, Format: j.Format, Currency: j.Currency, Warehouse: j.Warehouse, Received: j.Received,
		File: j.Findings, Shop: j.Progress.Outcome, Failure: j.Failure, CreatedAt: j.CreatedAt, UpdatedAt: j.UpdatedAt}
	for _, refusal := range j.Progress.Refusals {
		v.Refusals = append(v.Refusals, refusal.String())
	}
	switch {
	case j.State == stateDone:
		v.Progress = 1
	case j.State != stateReceiving && j.Received > 0:
		v.Progress = min(1, float64(j.Findings.BytesRead)/float64(j.Received))
	}
	return v
}

type importOutput struct {
	Location     string `header:"Location"`
	CacheControl string `header:"Cache-Control"`
	UploadOffset int64  `header:"Upload-Offset"`
	Body         importView
}

func answer(j job, err error) (*importOutput, error) {
	if err != nil {
		return nil, err
	}
	return &importOutput{Location: path + "/" + j.ID, CacheControl: "private, no-store", UploadOffset: j.Received, Body: view(j)}, nil
}

type postInput struct {
	Format    string `query:"format" maxLength:"20" doc:"auto, shopify or google; auto when absent"`
	Currency  string `query:"currency" maxLength:"3" doc:"Of prices for which the file names none; USD when absent"`
	Warehouse string `query:"warehouse" maxLength:"50" doc:"Which has the stock; the region's first when absent"`
	Complete  string `header:"Upload-Complete" enum:"?0,?1" doc:"?0 when more parts follow"`
	RawBody   []byte `contentType:"application/octet-stream"`
}

func (s *Service) post(ctx context.Context, input *postInput) (*importOutput, error) {
	j, err := newJob(geo.IDs{Clock: s.now}.New("imp", s.region.Code), s.region, s.regions, input.Format, input.Currency, input.Warehouse, s.now())
	if err != nil {
		return nil, err
	}
	if err := j.receive(0, len(input.RawBody), input.Complete != "?0"); err != nil {
		return nil, err
	}
	if err := s.store.create(ctx, j, input.RawBody); err != nil {
		return nil, err
	}
	s.wake()
	return answer(j, nil)
}

type patchInput struct {
	ID       string `path:"id" maxLength:"64"`
	Offset   int64  `header:"Upload-Offset" minimum:"0" required:"true" doc:"Where in the file the part begins"`
	Complete string `header:"Upload-Complete" enum:"?0,?1" doc:"?1 with the last part"`
	RawBody  []byte `contentType:"application/partial-upload"`
}

func (s *Service) patch(ctx context.Context, input *patchInput) (*importOutput, error) {
	region, err := s.homeOf(input.ID)
	if err != nil {
		return nil, err
	}
	j, err := s.store.add(ctx, region, input.ID, input.RawBody, s.now(), func(j *job) error {
		return j.receive(input.Offset, len(input.RawBody), input.Complete == "?1")
	})
	if err == nil {
		s.wake()
	}
	return answer(j, err)
}

type getInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Service) get(ctx context.Context, input *getInput) (*importOutput, error) {
	region, err := s.homeOf(input.ID)
	if err != nil {
		return nil, err
	}
	return answer(s.store.find(ctx, region, input.ID))
}

// homeOf finds the region of an import, which its id names.
func (s *Service) homeOf(id string) (string, error) {
	parsed, err := geo.ParseID(id)
	if err == nil && parsed.Kind == "imp" {
		for _, region := range s.regions {
			if region.Code == parsed.Region {
				return region.Name, nil
			}
		}
	}
	return "", contract.Errorf(contract.CodeNotFound, "there is no such import")
}

type listInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

type listOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Items []importView `json:"items"`
	}
}

func (s *Service) list(ctx context.Context, input *listInput) (*listOutput, error) {
	var names []string
	for _, region := range s.regions {
		names = append(names, region.Name)
	}
	jobs, err := s.store.newest(ctx, names, input.Limit)
	if err != nil {
		return nil, err
	}
	output := &listOutput{CacheControl: "private, no-store"}
	output.Body.Items = make([]importView, 0, len(jobs))
	for _, j := range jobs {
		output.Body.Items = append(output.Body.Items, view(j))
	}
	return output, nil
}
