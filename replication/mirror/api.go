package mirror

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

type progressOutput struct {
	Body struct {
		Items []contract.MirrorProgress `json:"items"`
	}
}

// routes declares the service's whole surface.
func routes(on *httpx.API, mirrors []*Mirror) {
	httpx.Handle(on, huma.Operation{
		OperationID: "list-mirrors", Method: http.MethodGet, Path: contract.PathMirrors, Summary: "How far each other region's events are copied", Tags: []string{"internal"},
	}, func(context.Context, *struct{}) (*progressOutput, error) {
		var out progressOutput
		out.Body.Items = make([]contract.MirrorProgress, 0, len(mirrors))
		for _, m := range mirrors {
			out.Body.Items = append(out.Body.Items, m.Progress())
		}
		return &out, nil
	})
}
