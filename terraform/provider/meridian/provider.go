// Package meridian is a Terraform provider for Meridian on one machine: a shop is a running copy, a region is one of its regions.
// It works through the meridian program alone.
package meridian

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// New returns the provider.
func New() provider.Provider { return shopProvider{} }

type shopProvider struct{}

type providerModel struct {
	Home   types.String `tfsdk:"home"`
	Binary types.String `tfsdk:"binary"`
}

func (shopProvider) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName = "meridian"
}

func (shopProvider) Schema(_ context.Context, _ provider.SchemaRequest, response *provider.SchemaResponse) {
	response.Schema = schema.Schema{
		Description: "Runs Meridian on this machine.",
		Attributes: map[string]schema.Attribute{
			"home": schema.StringAttribute{
				Optional:    true,
				Description: "Folder of the running copy's state, data and logs. Default: the environment's MERIDIAN_HOME, else .meridian in the working directory.",
			},
			"binary": schema.StringAttribute{
				Optional:    true,
				Description: "The meridian program. Default: the one in PATH.",
			},
		},
	}
}

// Configure hands the resources the program that they work through.
func (shopProvider) Configure(ctx context.Context, request provider.ConfigureRequest, response *provider.ConfigureResponse) {
	var model providerModel
	response.Diagnostics.Append(request.Config.Get(ctx, &model)...)
	if response.Diagnostics.HasError() {
		return
	}
	if model.Home.IsUnknown() || model.Binary.IsUnknown() {
		response.Diagnostics.AddError("The provider's settings are not known yet", "home and binary must not depend on what is still to be created.")
		return
	}
	program, err := newProgram(model.Home.ValueString(), model.Binary.ValueString())
	if err != nil {
		response.Diagnostics.AddError("The meridian program cannot be used", err.Error())
		return
	}
	response.ResourceData = program
}

func (shopProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newShop, newRegion}
}

func (shopProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }

func newProgram(home, binary string) (program, error) {
	if home == "" {
		home = os.Getenv("MERIDIAN_HOME")
	}
	if home == "" {
		home = ".meridian"
	}
	home, err := filepath.Abs(home)
	if err != nil {
		return program{}, fmt.Errorf("find the home: %w", err)
	}
	if binary == "" {
		binary = "meridian"
	}
	path, err := exec.LookPath(binary)
	if err != nil {
		return program{}, fmt.Errorf("there is no program %s: build it with `make build`, or name it as `binary`", binary)
	}
	if path, err = filepath.Abs(path); err != nil {
		return program{}, fmt.Errorf("find the program: %w", err)
	}
	return program{path: path, home: home}, nil
}

// configured gives a resource the provider's program; false while Terraform only checks the configuration.
func configured(request resource.ConfigureRequest, response *resource.ConfigureResponse, into *program) {
	if request.ProviderData == nil {
		return
	}
	given, ok := request.ProviderData.(program)
	if !ok {
		response.Diagnostics.AddError("The provider handed over something else than its program", fmt.Sprintf("It is a %T.", request.ProviderData))
		return
	}
	*into = given
}
