package meridian_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func join(name string) values { return values{"join": text(name)} }

func (tf *terraform) wantCalls(want ...string) {
	tf.t.Helper()
	if got := readCopy(tf.home).Calls; !slices.Equal(got, want) {
		tf.t.Fatalf("the program was called with %q, not %q", got, want)
	}
}

func TestShopRemembersEveryRegionThatJoined(t *testing.T) {
	t.Parallel()
	tf := start(t)
	shop, _ := tf.apply("meridian_shop", nil, join("eu-west"))
	for _, step := range []struct {
		config  values
		want    string
		changed bool
	}{
		{join("eu-west"), "eu-west", false},
		{join("us-east"), "eu-west us-east", true},
		{join("eu-west"), "eu-west us-east", false},
		{values{}, "eu-west us-east", false},
		{values{"leave": list("eu-west", "nowhere")}, "us-east", true},
		{join("us-east"), "us-east", false},
	} {
		var changed bool
		shop, changed = tf.apply("meridian_shop", tf.read("meridian_shop", shop), step.config)
		if got := namesOf(t, shop, "regions"); got != step.want || changed != step.changed {
			t.Fatalf("after %v: regions %q, changed %t; want %q, %t", step.config, got, changed, step.want, step.changed)
		}
	}
	tf.wantCalls("up --detach --bare --base-port 8080")
	for _, key := range []string{"join", "leave"} {
		if !attributes(t, *shop)[key].IsNull() {
			t.Errorf("%s is kept in the state", key)
		}
	}
}

func TestRegionCannotJoinAndLeaveAtOnce(t *testing.T) {
	t.Parallel()
	tf := start(t)
	plan := tf.plan("meridian_shop", nil, values{"join": text("eu-west"), "leave": list("eu-west")})
	if found := errorsIn(plan.Diagnostics); !strings.Contains(found, "join and leave at once") {
		t.Fatalf("the plan says %q", found)
	}
}

func TestShopThatHasGoneIsDriftAndItsRegionsAreNotForgotten(t *testing.T) {
	t.Parallel()
	tf := start(t)
	shop, _ := tf.apply("meridian_shop", nil, join("eu-west"))
	writeCopy(tf.home, copyState{}) // killed
	shop = tf.read("meridian_shop", shop)
	if boolOf(t, shop, "running") {
		t.Fatal("the read does not see that the copy has gone")
	}
	shop, changed := tf.apply("meridian_shop", shop, join("us-east"))
	if !changed || !boolOf(t, shop, "running") || namesOf(t, shop, "regions") != "eu-west us-east" {
		t.Fatalf("changed %t, state %v", changed, shop)
	}
	tf.wantCalls("up --detach --bare --base-port 8080")
}

func TestShopTakesOverACopyThatRunsAndRefusesOtherPorts(t *testing.T) {
	t.Parallel()
	tf := start(t)
	writeCopy(tf.home, copyState{Running: true, BasePort: "9000", Regions: []string{"eu-west"}})
	shop := tf.adopt("meridian_shop", "here")
	if got := namesOf(t, shop, "regions"); got != "eu-west" {
		t.Fatalf("imported with regions %q", got)
	}
	port := values{"base_port": tftypes.NewValue(tftypes.Number, 9000)}
	if _, changed := tf.apply("meridian_shop", shop, port); changed {
		t.Fatal("what was imported is changed by the same configuration")
	}
	if plan := tf.plan("meridian_shop", shop, values{"base_port": tftypes.NewValue(tftypes.Number, 9500)}); len(plan.RequiresReplace) != 1 {
		t.Fatalf("another port replaces %v", plan.RequiresReplace)
	}
	tf.wantCalls()
}

func TestDestroyStopsTheShop(t *testing.T) {
	t.Parallel()
	tf := start(t)
	shop, _ := tf.apply("meridian_shop", nil, join("eu-west"))
	if after, _ := tf.apply("meridian_shop", shop, nil); after != nil {
		t.Fatalf("the state still holds %v", after)
	}
	tf.wantCalls("up --detach --bare --base-port 8080", "down")
}
