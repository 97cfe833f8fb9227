package meridian

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// region is the resource meridian_region: one region of the copy that runs from the provider's home.
type region struct{ program program }

func newRegion() resource.Resource { return &region{} }

type regionModel struct {
	Name       types.String `tfsdk:"name"`
	Home       types.String `tfsdk:"home"`
	Ready      types.Bool   `tfsdk:"ready"`
	GatewayURL types.String `tfsdk:"gateway_url"`
	ConsulURL  types.String `tfsdk:"consul_url"`
}

// Metadata names the resource.
func (*region) Metadata(_ context.Context, _ resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = "meridian_region"
}

// Configure takes the provider's program.
func (r *region) Configure(_ context.Context, request resource.ConfigureRequest, response *resource.ConfigureResponse) {
	configured(request, response, &r.program)
}

// Schema describes the resource to Terraform.
func (*region) Schema(_ context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	keep := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	response.Schema = schema.Schema{
		Description: "A region of the copy that runs from the provider's home. Destroying it stops it in order and leaves its data.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required: true, Validators: []validator.String{regionName{}},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
				Description:   "The region's name, such as eu-west; a region file must have it.",
			},
			"home":        schema.StringAttribute{Computed: true, Description: "The copy's folder, which is the provider's."},
			"ready":       schema.BoolAttribute{Computed: true, Description: "Whether each of its services and engines answers; when one does not, the plan mends the region."},
			"gateway_url": schema.StringAttribute{Computed: true, PlanModifiers: keep, Description: "The region's own gateway, behind the edge."},
			"consul_url":  schema.StringAttribute{Computed: true, PlanModifiers: keep, Description: "The user interface of the region's Consul."},
		},
	}
}

// ModifyPlan plans that the region is ready, so that one that is not shows as a change.
func (r *region) ModifyPlan(ctx context.Context, request resource.ModifyPlanRequest, response *resource.ModifyPlanResponse) {
	if request.Plan.Raw.IsNull() {
		return // to be destroyed
	}
	response.Diagnostics.Append(response.Plan.SetAttribute(ctx, path.Root("ready"), true)...)
	response.Diagnostics.Append(response.Plan.SetAttribute(ctx, path.Root("home"), r.program.home)...)
	if !request.State.Raw.IsNull() {
		replaceWhenMoved(ctx, request, response, r.program.home)
	}
}

// Create starts the region and returns when all of it is ready.
func (r *region) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	var model regionModel
	response.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if response.Diagnostics.HasError() {
		return
	}
	if err := r.bring(ctx, &model); err != nil {
		response.Diagnostics.AddError("The region "+model.Name.ValueString()+" did not start", err.Error())
		return
	}
	response.Diagnostics.Append(response.State.Set(ctx, &model)...)
}

// Update mends the region: what of it does not answer is started anew.
func (r *region) Update(ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse) {
	var model regionModel
	response.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if response.Diagnostics.HasError() {
		return
	}
	if err := r.bring(ctx, &model); err != nil {
		response.Diagnostics.AddError("The region "+model.Name.ValueString()+" could not be mended", err.Error())
		return
	}
	response.Diagnostics.Append(response.State.Set(ctx, &model)...)
}

func (r *region) bring(ctx context.Context, model *regionModel) error {
	here, name := r.program.in(model.Home.ValueString()), model.Name.ValueString()
	if err := here.run(ctx, startTimeout, "region", "start", name); err != nil {
		return err
	}
	answer, err := r.examine(ctx, here, name)
	if err != nil {
		return err
	}
	model.learn(answer)
	if !answer.Ready {
		return failed{verb: "region start " + name, message: "it was started, but " + strings.Join(answer.Problems, "; ")}
	}
	return nil
}

func (*region) examine(ctx context.Context, here program, name string) (regionAnswer, error) {
	var answer regionAnswer
	err := settled(ctx, func() (bool, error) {
		var err error
		answer, err = here.region(ctx, name)
		return answer.Ready || !answer.Running || !answer.Started, err
	})
	tflog.Debug(ctx, "Examined a region.", map[string]any{"region": name, "running": answer.Running, "started": answer.Started, "ready": answer.Ready})
	return answer, err
}

func (m *regionModel) learn(answer regionAnswer) {
	m.Ready = types.BoolValue(answer.Ready)
	m.GatewayURL, m.ConsulURL = types.StringValue(answer.GatewayURL), types.StringValue(answer.ConsulURL)
}

// Read is a health check: it asks every service and engine of the region. A region that was stopped, or whose copy has gone, is
// gone from the state; one that does not answer stays there as not ready.
func (r *region) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	var model regionModel
	response.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if response.Diagnostics.HasError() {
		return
	}
	if model.Home.IsNull() { // imported
		model.Home = types.StringValue(r.program.home)
	}
	name := model.Name.ValueString()
	answer, err := r.examine(ctx, r.program.in(model.Home.ValueString()), name)
	switch {
	case err != nil:
		response.Diagnostics.AddError("The region "+name+" could not be examined", err.Error())
		return
	case !answer.Running || !answer.Started:
		response.State.RemoveResource(ctx)
		return
	case !answer.Ready:
		response.Diagnostics.AddWarning("The region "+name+" is not ready", strings.Join(answer.Problems, "\n"))
	}
	model.learn(answer)
	response.Diagnostics.Append(response.State.Set(ctx, &model)...)
}

// Delete stops the region. That no copy runs any more is fine.
func (r *region) Delete(ctx context.Context, request resource.DeleteRequest, response *resource.DeleteResponse) {
	var model regionModel
	response.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if response.Diagnostics.HasError() {
		return
	}
	err := r.program.in(model.Home.ValueString()).run(ctx, stopTimeout, "region", "stop", model.Name.ValueString())
	if err != nil && !notThere(err) {
		response.Diagnostics.AddError("The region "+model.Name.ValueString()+" did not stop", err.Error())
	}
}

// ImportState takes over a region by its name.
func (*region) ImportState(ctx context.Context, request resource.ImportStateRequest, response *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("name"), request, response)
}
