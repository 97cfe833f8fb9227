package meridian

import (
	"context"
	"fmt"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const defaultBasePort = 8080

// shop is the resource meridian_shop: the copy itself, that is the launcher with the SQL server and the edge. It also remembers,
// in Terraform's state, which regions were asked for.
type shop struct{ program program }

func newShop() resource.Resource { return &shop{} }

type shopModel struct {
	// Join and Leave are write-only: they say what one apply changes and leave no trace but in Regions.
	Join     types.String `tfsdk:"join"`
	Leave    types.List   `tfsdk:"leave"`
	BasePort types.Int64  `tfsdk:"base_port"`
	Home     types.String `tfsdk:"home"`
	Regions  types.Set    `tfsdk:"regions"`
	Running  types.Bool   `tfsdk:"running"`
	EdgeURL  types.String `tfsdk:"edge_url"`
}

// Metadata names the resource.
func (*shop) Metadata(_ context.Context, _ resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = "meridian_shop"
}

// Configure takes the provider's program.
func (s *shop) Configure(_ context.Context, request resource.ConfigureRequest, response *resource.ConfigureResponse) {
	configured(request, response, &s.program)
}

// Create starts the copy without a region, or takes over one that already runs from the home.
func (s *shop) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	var model shopModel
	response.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if response.Diagnostics.HasError() {
		return
	}
	if err := s.bring(ctx, &model); err != nil {
		response.Diagnostics.AddError("The shop did not start", err.Error())
		return
	}
	response.Diagnostics.Append(response.State.Set(ctx, &model)...)
}

// Update starts a copy that has gone. A change of Regions alone needs nothing here: each region is a resource.
func (s *shop) Update(ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse) {
	var model shopModel
	response.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if response.Diagnostics.HasError() {
		return
	}
	if err := s.bring(ctx, &model); err != nil {
		response.Diagnostics.AddError("The shop did not start", err.Error())
		return
	}
	response.Diagnostics.Append(response.State.Set(ctx, &model)...)
}

func (s *shop) bring(ctx context.Context, model *shopModel) error {
	here := s.program.in(model.Home.ValueString())
	answer, err := here.shop(ctx)
	if err != nil {
		return err
	}
	if !answer.Running {
		port := strconv.FormatInt(model.BasePort.ValueInt64(), 10)
		if err := here.run(ctx, startTimeout, "up", "--detach", "--bare", "--base-port", port); err != nil {
			return err
		}
	}
	err = settled(ctx, func() (bool, error) {
		var err error
		answer, err = here.shop(ctx)
		return answer.well(), err
	})
	if err != nil {
		return err
	}
	if !answer.well() {
		return fmt.Errorf("it runs from %s, but its edge or its SQL server does not: `meridian --home %s doctor` says why", here.home, here.home)
	}
	port, err := answer.basePort()
	if err != nil {
		return err
	}
	if wanted := model.BasePort.ValueInt64(); port != wanted {
		return fmt.Errorf("a copy runs from %s with base port %d, not %d: stop it with `meridian down`, or say base_port = %d", here.home, port, wanted, port)
	}
	model.Running, model.EdgeURL = types.BoolValue(true), types.StringValue(answer.Edge.URL)
	return nil
}

// Read asks how the copy is. One that has gone stays in the state as not running, because the state also holds which regions it had.
func (s *shop) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	var model shopModel
	response.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if response.Diagnostics.HasError() {
		return
	}
	if model.Home.IsNull() { // imported
		model.Home = types.StringValue(s.program.home)
	}
	var answer shopAnswer
	err := settled(ctx, func() (bool, error) {
		var err error
		answer, err = s.program.in(model.Home.ValueString()).shop(ctx)
		return answer.well() || !answer.Running, err
	})
	if err == nil && answer.Running {
		err = model.learn(ctx, answer, &response.Diagnostics)
	}
	if err != nil {
		response.Diagnostics.AddError("The shop could not be examined", err.Error())
		return
	}
	model.Running = types.BoolValue(answer.well())
	response.Diagnostics.Append(response.State.Set(ctx, &model)...)
}

// learn takes from a running copy where it is and, after an import, which regions it has.
func (m *shopModel) learn(ctx context.Context, answer shopAnswer, problems *diag.Diagnostics) error {
	port, err := answer.basePort()
	if err != nil {
		return err
	}
	m.BasePort, m.EdgeURL = types.Int64Value(port), types.StringValue(answer.Edge.URL)
	if m.Regions.IsNull() {
		var names []string
		for _, region := range answer.Regions {
			names = append(names, region.Name)
		}
		regions, diagnostics := types.SetValueFrom(ctx, types.StringType, names)
		problems.Append(diagnostics...)
		m.Regions = regions
	}
	return nil
}

// Delete stops the copy with all that belongs to it and leaves its data.
func (s *shop) Delete(ctx context.Context, request resource.DeleteRequest, response *resource.DeleteResponse) {
	var model shopModel
	response.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if response.Diagnostics.HasError() {
		return
	}
	if err := s.program.in(model.Home.ValueString()).run(ctx, stopTimeout, "down"); err != nil {
		response.Diagnostics.AddError("The shop did not stop", err.Error())
	}
}

// ImportState takes over the copy that runs from the provider's home, whatever the id.
func (s *shop) ImportState(ctx context.Context, _ resource.ImportStateRequest, response *resource.ImportStateResponse) {
	response.Diagnostics.Append(response.State.SetAttribute(ctx, path.Root("home"), s.program.home)...)
}
