package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/discovery"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

// BenchmarkProxy asks a service for a 6 KB list, once through the gateway and once directly, and reports how many times longer the
// way through the gateway takes. All three share the machine: the ratio also holds the gateway's own client and server.
func BenchmarkProxy(b *testing.B) {
	shop := kittest.Start(b, gateway.Definition())
	direct := startCatalog(b, shop)
	nanoseconds := map[string]float64{}
	for _, target := range []struct{ name, url string }{{"direct", direct}, {"gateway", shop.URL}} {
		b.Run(target.name, func(b *testing.B) {
			b.ReportAllocs()
			address := strings.TrimPrefix(target.url, "http://")
			client := httpclient.NewHost(httpclient.HostOptions{Address: address, MaxConns: 512})
			b.RunParallel(func(pb *testing.PB) {
				request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
				request.SetRequestURI(target.url + "/api/v1/products?limit=20")
				for pb.Next() {
					if err := client.Do(request, response); err != nil || response.StatusCode() != http.StatusOK {
						b.Errorf("status %d: %v", response.StatusCode(), err)
						return
					}
				}
			})
			nanoseconds[target.name] = float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			if base := nanoseconds["direct"]; base > 0 && target.name == "gateway" {
				b.ReportMetric(nanoseconds["gateway"]/base, "times-direct")
			}
		})
	}
}

// startCatalog serves a list as a service would, by Fiber, and waits until the gateway knows it.
func startCatalog(b *testing.B, shop *kittest.Service) string {
	b.Helper()
	list := []byte(`{"items":[` + strings.Repeat(`{"id":"prd_use_1","price":{"amount":1999,"currency":"USD"}},`, 99) + `{}]}`)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ready", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) })
	app.Use(func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(list)
	})
	listener, port := listen(b)
	var served sync.WaitGroup
	served.Go(func() {
		if err := app.Listener(listener); err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			b.Error(err)
		}
		served.Wait()
	})
	consul, err := discovery.New(shop.Env.ConsulAddress, shop.Env.Namespace, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(consul.Close)
	if err := consul.Register(b.Context(), discovery.Instance{Service: contract.ServiceCatalog, Host: "127.0.0.1", Port: port}); err != nil {
		b.Fatal(err)
	}
	kittest.Eventually(b, func() error {
		return status(shop.Do(b, http.MethodGet, "/api/v1/products", nil, nil), http.StatusOK)
	})
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}
