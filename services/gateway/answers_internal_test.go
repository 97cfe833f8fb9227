package gateway

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// A gateway that was stopped for a while comes back with what it kept, and has not heard what became of it.
func TestWhatIsKeptIsShownOnlyWhileItIsBelieved(t *testing.T) {
	t.Parallel()
	kept, err := newAnswers(time.Now, newMetrics(prometheus.NewRegistry()).answers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kept.kept.Close)
	asked := 0
	app := fiber.New()
	app.Get("/product", func(c *fiber.Ctx) error {
		return kept.serve(c, func(c *fiber.Ctx) error {
			asked++
			c.Set("CDN-Cache-Control", "max-age=3600")
			return c.SendString("a product")
		})
	})
	for _, step := range []struct {
		what  string
		do    func()
		asked int
	}{
		{"before events are followed", func() {}, 1},
		{"the first time after", func() { kept.begin(); kept.believe(time.Now().Add(time.Hour)) }, 2},
		{"the second time", func() {}, 2},
		{"once nothing has been heard for long", func() { kept.believe(time.Now().Add(-time.Millisecond)) }, 3},
		{"when all has been heard", func() { kept.believe(time.Now().Add(time.Hour)) }, 3},
		{"when events may have been missed", kept.begin, 4},
	} {
		step.do()
		response, err := app.Test(httptest.NewRequestWithContext(t.Context(), "GET", "/product", nil), -1)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if asked != step.asked {
			t.Errorf("%s: asked %d times, want %d", step.what, asked, step.asked)
		}
	}
}
