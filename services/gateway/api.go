package gateway

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/services/gateway/openapi"
)

// Routes declares what the gateway answers: first everything below the routed roots, then what is its own.
func (s *Service) Routes(api *httpx.API) {
	for _, root := range roots() {
		s.app.Use(root, s.enter)
	}
	httpx.Handle(api, huma.Operation{
		OperationID: "list-regions", Method: http.MethodGet, Path: "/api/v1/regions", Tags: []string{"regions"},
		Summary: "List the regions, their health, their distance from the caller and the order in which they are tried",
	}, s.listRegions)
	httpx.Handle(api, huma.Operation{OperationID: "purge-answers", Method: http.MethodPost, Path: contract.PathPurgeAnswers, Hidden: true,
		Summary: "Drop what is kept of answers that bear a tag", Tags: []string{"internal"}, DefaultStatus: http.StatusNoContent}, s.purgeAnswers)
	s.app.Put("/internal/v1/users/:user_id/cart/guests/:cart_id", s.passHome)
	s.app.Get(pathDocument, s.serveDocument)
	s.app.Get(pathPage, s.servePage)
}

const (
	pathDocument = "/api/openapi.json"
	pathPage     = "/api/docs"
)

// placeInput is where the edge says that the caller is. From anyone else these headers never get this far.
type placeInput struct {
	Country   string `header:"cf-ipcountry" hidden:"true" maxLength:"2"`
	Latitude  string `header:"cf-iplatitude" hidden:"true" maxLength:"32"`
	Longitude string `header:"cf-iplongitude" hidden:"true" maxLength:"32"`
}

// point is nil when the edge did not know.
func (p *placeInput) point() *geo.Point {
	latitude, errLatitude := strconv.ParseFloat(p.Latitude, 64)
	longitude, errLongitude := strconv.ParseFloat(p.Longitude, 64)
	point := geo.Point{Latitude: latitude, Longitude: longitude}
	if errLatitude != nil || errLongitude != nil || point.Validate() != nil {
		return nil
	}
	return &point
}

// regionList is the answer of GET /api/v1/regions.
type regionList struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Items      []RegionStatus `json:"items"`
		NextCursor string         `json:"next_cursor" doc:"Always empty: the list is whole"`
	}
}

func (s *Service) listRegions(_ context.Context, input *placeInput) (*regionList, error) {
	// The distances are the caller's own.
	list := &regionList{CacheControl: "private, no-store"}
	list.Body.Items = s.regions.statuses(input.Country, input.point())
	return list, nil
}

type purgeInput struct {
	Body contract.AnswersPurge
}

// purgeAnswers answers once nothing that the tags name is kept here any more, nor will be that was asked for before.
func (s *Service) purgeAnswers(_ context.Context, input *purgeInput) (*struct{}, error) {
	if input.Body.Everything {
		s.answers.kept.PurgeEverything()
	} else {
		s.answers.kept.PurgeTags(input.Body.Tags...)
	}
	return nil, nil
}

func (s *Service) serveDocument(c *fiber.Ctx) error {
	merged, err := s.document.current(c.UserContext())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/json")
	return sendCached(c, merged.JSON, merged.ETag)
}

func (s *Service) servePage(c *fiber.Ctx) error {
	merged, err := s.document.current(c.UserContext())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	c.Set(fiber.HeaderContentSecurityPolicy, openapi.PagePolicy())
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	return sendCached(c, merged.Page, merged.ETag)
}

// sendCached answers with a body that may be kept but must be asked about again.
func sendCached(c *fiber.Ctx, body []byte, tag string) error {
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderETag, tag)
	if given := c.Get(fiber.HeaderIfNoneMatch); given != "" && httpx.Matches(given, tag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	return c.Send(body)
}
