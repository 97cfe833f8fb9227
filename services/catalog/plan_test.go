package catalog

import (
	"errors"
	"slices"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

func wishFor(t *testing.T, input contract.ProductInput, id string) wish {
	t.Helper()
	w, err := newWish(input, id)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestPlanJudgesEachProductByItself(t *testing.T) {
	t.Parallel()
	same := wishFor(t, mug("same"), "")
	state := &snapshot{
		bySlug:   map[string]*stored{"same": {id: "prd_same", hash: same.hash, version: 4}, "known": {id: "prd_known", version: 7, skus: []string{"gone"}, categories: []string{"old"}}},
		byID:     map[string]*stored{},
		owners:   map[string]string{"known": "prd_known", "taken": "prd_other"},
		lineages: map[string][]string{"cups": {"cups", "kitchen"}},
	}
	thief := mug("thief")
	thief.Variants[0].SKU = "taken"
	late := mug("late")
	late.Variants[0].SKU = "fresh"
	wishes := []wish{same, wishFor(t, mug("known", "cups"), ""), wishFor(t, mug("fresh"), ""), wishFor(t, thief, ""), wishFor(t, late, ""),
		wishFor(t, mug("fresh"), ""), wishFor(t, mug("nowhere", "none"), "")}
	verdicts := plan(state, wishes, func() string { return "prd_new" })
	want := []struct {
		outcome, field string
		code           contract.Code
	}{
		{outcomeUnchanged, "", ""}, {outcomeUpdated, "", ""}, {outcomeCreated, "", ""},
		{outcomeRefused, "variants[0].sku", contract.CodeConflict}, {outcomeRefused, "variants[0].sku", contract.CodeConflict},
		{outcomeRefused, "slug", contract.CodeInvalid}, {outcomeRefused, "categories", contract.CodeInvalid},
	}
	for i, v := range verdicts {
		var typed *contract.Error
		field := ""
		if errors.As(v.refused, &typed) {
			field = typed.Field
		}
		if v.outcome() != want[i].outcome || field != want[i].field || contract.CodeOf(v.refused) != want[i].code {
			t.Errorf("%d: %s %q %v, want %+v", i, v.outcome(), field, v.refused, want[i])
		}
	}
	updated, created := verdicts[1].change, verdicts[2].change
	if updated.id != "prd_known" || updated.version != 8 || created.id != "prd_new" || created.version != 1 {
		t.Errorf("updated %s %d, created %s %d", updated.id, updated.version, created.id, created.version)
	}
	told := updated.announcement()
	if !slices.Equal(told.Categories, []string{"cups", "kitchen", "old"}) || !slices.Equal(told.SKUs, []string{"gone", "known"}) {
		t.Errorf("announced %+v", told)
	}
}

func TestPlanKeepsASlugWithItsProduct(t *testing.T) {
	t.Parallel()
	mine, other := &stored{id: "prd_mine", slug: "mine", version: 1}, &stored{id: "prd_other", slug: "other", version: 1}
	state := &snapshot{bySlug: map[string]*stored{"mine": mine, "other": other}, byID: map[string]*stored{"prd_mine": mine, "prd_other": other}}
	if v := plan(state, []wish{wishFor(t, mug("other"), "prd_mine")}, nil)[0]; contract.CodeOf(v.refused) != contract.CodeConflict {
		t.Errorf("a product took another's slug: %+v", v)
	}
	if v := plan(state, []wish{wishFor(t, mug("renamed"), "prd_mine")}, nil)[0]; v.change == nil || v.change.id != "prd_mine" || v.change.version != 2 {
		t.Errorf("a product could not be renamed: %+v", v)
	}
}
