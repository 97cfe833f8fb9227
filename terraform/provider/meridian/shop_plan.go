package meridian

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Schema describes the resource to Terraform.
func (*shop) Schema(_ context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	response.Schema = schema.Schema{
		Description: "A copy of Meridian on this machine: its launcher, its SQL server and its edge. Destroying it stops all of it and leaves its data.",
		Attributes: map[string]schema.Attribute{
			"join": schema.StringAttribute{
				Optional: true, WriteOnly: true, Validators: []validator.String{regionName{}},
				Description: "A region that is to be one of `regions` from this apply on.",
			},
			"leave": schema.ListAttribute{
				Optional: true, WriteOnly: true, ElementType: types.StringType,
				Description: "Regions that are to be none of `regions` from this apply on.",
			},
			"base_port": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(defaultBasePort),
				PlanModifiers: []planmodifier.Int64{int64planmodifier.RequiresReplace()},
				Description:   "The edge's port; everything else listens above it.",
			},
			"home": schema.StringAttribute{Computed: true, Description: "The copy's folder, which is the provider's; another one is another copy."},
			"regions": schema.SetAttribute{
				Computed: true, ElementType: types.StringType,
				Description: "Every region that has joined and not left. It is known when the plan is made, so that for_each can go through it.",
			},
			"running": schema.BoolAttribute{
				Computed:    true,
				Description: "Whether the launcher, the SQL server and the edge run; when they do not, the plan starts them.",
			},
			"edge_url": schema.StringAttribute{
				Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
				Description: "Where shoppers connect.",
			},
		},
	}
}

// ModifyPlan plans that the copy runs, in the provider's home, with the regions that have joined.
func (s *shop) ModifyPlan(ctx context.Context, request resource.ModifyPlanRequest, response *resource.ModifyPlanResponse) {
	if request.Plan.Raw.IsNull() {
		return // to be destroyed
	}
	var plan, config shopModel
	var had []string
	response.Diagnostics.Append(request.Plan.Get(ctx, &plan)...)
	response.Diagnostics.Append(request.Config.Get(ctx, &config)...)
	if !request.State.Raw.IsNull() {
		var state shopModel
		response.Diagnostics.Append(request.State.Get(ctx, &state)...)
		response.Diagnostics.Append(state.Regions.ElementsAs(ctx, &had, false)...)
	}
	if response.Diagnostics.HasError() {
		return
	}
	if config.Join.IsUnknown() || config.Leave.IsUnknown() {
		response.Diagnostics.AddError("It is not known yet which regions join and leave", "join and leave must not depend on what is still to be created.")
		return
	}
	var leave []string
	if !config.Leave.IsNull() {
		response.Diagnostics.Append(config.Leave.ElementsAs(ctx, &leave, false)...)
	}
	join := config.Join.ValueString()
	if slices.Contains(leave, join) {
		response.Diagnostics.AddAttributeError(path.Root("leave"), "A region cannot join and leave at once", "It is "+join+".")
		return
	}
	regions, diagnostics := types.SetValueFrom(ctx, types.StringType, members(had, join, leave))
	response.Diagnostics.Append(diagnostics...)
	plan.Regions, plan.Running, plan.Home = regions, types.BoolValue(true), types.StringValue(s.program.home)
	response.Diagnostics.Append(response.Plan.Set(ctx, &plan)...)
	if !request.State.Raw.IsNull() {
		replaceWhenMoved(ctx, request, response, s.program.home)
	}
}

// members gives the regions after one joined, unless it is "", and others left.
func members(had []string, join string, leave []string) []string {
	now := slices.Clone(had)
	if join != "" && !slices.Contains(now, join) {
		now = append(now, join)
	}
	return slices.DeleteFunc(now, func(name string) bool { return slices.Contains(leave, name) })
}

// replaceWhenMoved has a resource that was made in another home made anew in this one.
func replaceWhenMoved(ctx context.Context, request resource.ModifyPlanRequest, response *resource.ModifyPlanResponse, home string) {
	var was types.String
	response.Diagnostics.Append(request.State.GetAttribute(ctx, path.Root("home"), &was)...)
	if was.ValueString() != home {
		response.RequiresReplace = append(response.RequiresReplace, path.Root("home"))
	}
}
