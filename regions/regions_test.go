package regions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/meridian-store/meridian/regions"
)

func TestEveryShippedRegionIsValid(t *testing.T) {
	t.Parallel()
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) != len(all) {
		t.Fatalf("%d region files, %d regions (%v)", len(files), len(all), err)
	}
	for i, name := range []string{"us-east", "eu-west", "ap-southeast"} {
		if all[i].Name != name {
			t.Errorf("region %d is %s, want %s: gateways' ports depend on the order", i, all[i].Name, name)
		}
	}
}

func TestLoadRefusesWhatWouldNotSell(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile("us-east.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(shipped)
	cases := map[string]struct{ file, text, want string }{
		"unknown key":          {"us-east.yaml", good + "\nregoin: typo\n", "regoin"},
		"other file name":      {"other.yaml", good, "us-east.yaml"},
		"bad code":             {"us-east.yaml", strings.Replace(good, "code: use", "code: USE", 1), "code"},
		"unknown currency":     {"us-east.yaml", strings.Replace(good, "currency: USD", "currency: XQZ", 1), "currency"},
		"no standard shipping": {"us-east.yaml", strings.Replace(good, "  standard:", "  slow:", 1), "shipping.standard"},
		"foreign tax country":  {"us-east.yaml", strings.Replace(good, "countries: {CA: 1300", "countries: {IE: 1300", 1), "tax.countries.IE"},
		"no word on sanctions": {"us-east.yaml", strings.Replace(good, "refuses: [CU, IR, KP]", "", 1), "refuses"},
		"resident elsewhere":   {"us-east.yaml", good + "\nresident: [IE]\n", "resident"},
		"latitude":             {"us-east.yaml", strings.Replace(good, "latitude: 39.04", "latitude: 139.04", 1), "latitude"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := regions.Load(fstest.MapFS{c.file: {Data: []byte(c.text)}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want a refusal that names %q", err, c.want)
			}
		})
	}
}

func TestAFourthRegionIsAFourthFile(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{}
	for _, name := range []string{"us-east", "eu-west", "ap-southeast"} {
		data, err := os.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		folder[name+".yaml"] = &fstest.MapFile{Data: data}
	}
	fourth := strings.NewReplacer("us-east", "sa-east", "code: use", "code: sae", "iad-1", "gru-1",
		"[US, CA, MX, BR, AR, CL, CO, PE, UY, PY, BO, EC, VE, CR, PA, GT, DO, PR, JM]", "[ZW]", "countries: {CA: 1300, MX: 1600, BR: 1700, AR: 2100, CL: 1900}", "countries: {}").
		Replace(string(folder["us-east.yaml"].Data))
	folder["sa-east.yaml"] = &fstest.MapFile{Data: []byte(fourth)}
	all, err := regions.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 || all[3].Name != "sa-east" {
		t.Fatalf("got %d regions, the last is %s", len(all), all[len(all)-1].Name)
	}
	clash := strings.Replace(fourth, "code: sae", "code: use", 1)
	folder["sa-east.yaml"] = &fstest.MapFile{Data: []byte(clash)}
	if _, err := regions.Load(folder); err == nil || !strings.Contains(err.Error(), "code") {
		t.Fatalf("two regions with one code were accepted: %v", err)
	}
}
