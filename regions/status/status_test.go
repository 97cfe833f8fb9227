package status_test

import (
	"encoding/json"
	"testing"

	"github.com/meridian-store/meridian/regions/status"
)

// Scripts and the Terraform provider read this document: a name that changes breaks them.
func TestShop_JSONNamesAreStable(t *testing.T) {
	t.Parallel()
	engine := status.Engine{Name: "redis", Address: "127.0.0.1:1", Ready: true, PID: 2, Restarts: 3}
	shop := status.Shop{
		Running: true, Ready: true, PID: 1, Home: "/h",
		Edge: status.Edge{URL: "http://e", Ready: true, PID: 4, Restarts: 5}, SQL: engine,
		Links: status.Links{API: "127.0.0.1:6", PID: 7, Items: []status.Link{{
			From: "a", To: "b", Plane: status.PlaneGateway, Listen: "l", Upstream: "u", ModelMS: 8,
			Usual: status.Condition{RoundTripMS: 9}, Now: status.Condition{RoundTripMS: 10, Cut: true},
		}}},
		Regions: []status.Region{{
			Name: "a", GatewayURL: "http://g", ConsulURL: "http://c", Engines: []status.Engine{engine},
			Services: []status.Service{{Name: "cart", URL: "http://s", Ready: true, PID: 11, Restarts: 12}},
		}},
	}
	const (
		redis = `{"name":"redis","address":"127.0.0.1:1","ready":true,"pid":2,"restarts":3}`
		want  = `{"running":true,"ready":true,"pid":1,"home":"/h",` +
			`"edge":{"url":"http://e","ready":true,"pid":4,"restarts":5},"sql":` + redis + `,` +
			`"provider":{"name":"","address":"","ready":false,"pid":0,"restarts":0},` +
			`"links":{"api":"127.0.0.1:6","ready":false,"pid":7,"restarts":0,"items":[{"from":"a","to":"b",` +
			`"plane":"gateway","listen":"l","upstream":"u","model_ms":8,"usual":{"round_trip_ms":9,"cut":false},` +
			`"now":{"round_trip_ms":10,"cut":true}}]},` +
			`"regions":[{"name":"a","gateway_url":"http://g","consul_url":"http://c","ready":false,` +
			`"services":[{"name":"cart","url":"http://s","ready":true,"pid":11,"restarts":12}],"engines":[` + redis + `]}]}`
	)
	got, err := json.Marshal(shop)
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s (%v)", got, want, err)
	}
	const none = `{"api":"","ready":false,"pid":0,"restarts":0,"items":null}`
	if got, err := json.Marshal(status.Links{}); err != nil || string(got) != none {
		t.Errorf("without links: %s (%v)", got, err)
	}
}
