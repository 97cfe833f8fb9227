package gateway

import (
	"fmt"
	"io"
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

// A price ends with its list, of which no event tells: the catalog says until when its answer holds, and nobody counts that anew.
func TestAnAnswerIsShownNoLongerThanItHolds(t *testing.T) {
	t.Parallel()
	var ahead time.Duration
	begun := time.Now()
	kept, err := newAnswers(func() time.Time { return begun.Add(ahead) }, newMetrics(prometheus.NewRegistry()).answers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kept.kept.Close)
	kept.begin()
	kept.believe(begun.Add(time.Hour))
	price := 0
	app := fiber.New()
	app.Get("/product", func(c *fiber.Ctx) error {
		return kept.serve(c, func(c *fiber.Ctx) error {
			price++
			c.Set("CDN-Cache-Control", "max-age=10, stale-while-revalidate=0")
			return c.SendString(fmt.Sprint(price))
		})
	})
	for _, step := range []struct {
		ahead      time.Duration
		price, age string
	}{{0, "1", "0"}, {9 * time.Second, "1", "9"}, {10 * time.Second, "2", "0"}, {19 * time.Second, "2", "9"}, {20 * time.Second, "3", "0"}} {
		ahead = step.ahead
		response, err := app.Test(httptest.NewRequestWithContext(t.Context(), "GET", "/product", nil), -1)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := response.Header.Get("Age"); string(body) != step.price || got != step.age {
			t.Errorf("after %s: price %s of age %s, want %s of age %s", step.ahead, body, got, step.price, step.age)
		}
	}
}
