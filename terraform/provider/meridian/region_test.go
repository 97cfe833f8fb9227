package meridian_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

func named(name string) values { return values{"name": text(name)} }

// running gives a provider whose copy runs without a region.
func running(t *testing.T) *terraform {
	t.Helper()
	tf := start(t)
	writeCopy(tf.home, copyState{Running: true, BasePort: "8080"})
	return tf
}

func TestRegionIsStartedAndASecondApplyChangesNothing(t *testing.T) {
	t.Parallel()
	tf := running(t)
	region, _ := tf.apply("meridian_region", nil, named("eu-west"))
	if !boolOf(t, region, "ready") || stringOf(t, region, "gateway_url") != "http://gateway.eu-west" {
		t.Fatalf("state %v", region)
	}
	if _, changed := tf.apply("meridian_region", tf.read("meridian_region", region), named("eu-west")); changed {
		t.Fatal("the second apply changed something")
	}
	tf.wantCalls("region start eu-west")
}

func TestRegionThatWasStoppedIsGoneFromTheState(t *testing.T) {
	t.Parallel()
	for name, now := range map[string]copyState{
		"the region": {Running: true, BasePort: "8080"},
		"the copy":   {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tf := running(t)
			region, _ := tf.apply("meridian_region", nil, named("eu-west"))
			writeCopy(tf.home, now)
			if after := tf.read("meridian_region", region); after != nil {
				t.Fatalf("the state still holds %v", after)
			}
		})
	}
}

func TestRegionThatDoesNotAnswerIsMended(t *testing.T) {
	t.Parallel()
	tf := running(t)
	region, _ := tf.apply("meridian_region", nil, named("eu-west"))
	writeCopy(tf.home, copyState{Running: true, BasePort: "8080", Regions: []string{"eu-west"}, Broken: []string{"eu-west"}})
	region = tf.read("meridian_region", region)
	if boolOf(t, region, "ready") {
		t.Fatal("the read takes a broken region for ready")
	}
	region, changed := tf.apply("meridian_region", region, named("eu-west"))
	if !changed || !boolOf(t, region, "ready") {
		t.Fatalf("changed %t, state %v", changed, region)
	}
	tf.wantCalls("region start eu-west")
}

func TestRegionIsImportedByItsName(t *testing.T) {
	t.Parallel()
	tf := running(t)
	writeCopy(tf.home, copyState{Running: true, BasePort: "8080", Regions: []string{"eu-west"}})
	region := tf.adopt("meridian_region", "eu-west")
	if _, changed := tf.apply("meridian_region", region, named("eu-west")); changed {
		t.Fatal("what was imported is changed by the same configuration")
	}
	tf.wantCalls()
}

func TestDestroyStopsTheRegionAndForgivesThatItHasGone(t *testing.T) {
	t.Parallel()
	tf := running(t)
	region, _ := tf.apply("meridian_region", nil, named("eu-west"))
	if after, _ := tf.apply("meridian_region", region, nil); after != nil {
		t.Fatalf("the state still holds %v", after)
	}
	tf.wantCalls("region start eu-west", "region stop eu-west")
	writeCopy(tf.home, copyState{})
	if after, _ := tf.apply("meridian_region", region, nil); after != nil {
		t.Fatalf("the state still holds %v", after)
	}
}

func TestRegionThatDoesNotExistSaysWhichThereAre(t *testing.T) {
	t.Parallel()
	tf := running(t)
	plan := tf.plan("meridian_region", nil, named("atlantis"))
	response, err := tf.server.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: "meridian_region", PriorState: tf.packState("meridian_region", nil), PlannedState: plan.PlannedState, Config: tf.packConfig("meridian_region", named("atlantis")),
	})
	if err != nil {
		t.Fatal(err)
	}
	if found := errorsIn(response.Diagnostics); !strings.Contains(found, "there are eu-west") {
		t.Fatalf("the error is %q", found)
	}
}

func TestNameThatLooksLikeAnOptionIsRefused(t *testing.T) {
	t.Parallel()
	tf := start(t)
	for _, name := range []string{"--json", "EU", "eu west", ""} {
		response, err := tf.server.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{
			TypeName: "meridian_region", Config: tf.packConfig("meridian_region", named(name)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if errorsIn(response.Diagnostics) == "" {
			t.Errorf("%q passes as a region's name", name)
		}
	}
}
