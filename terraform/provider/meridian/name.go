package meridian

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// regionName refuses what no region is called; it would also be read as an option of the program.
type regionName struct{}

// Description says what is allowed.
func (regionName) Description(context.Context) string {
	return "small letters and digits, in parts that a hyphen joins, such as eu-west"
}

// MarkdownDescription says the same.
func (n regionName) MarkdownDescription(ctx context.Context) string { return n.Description(ctx) }

// ValidateString reports a name that is none.
func (n regionName) ValidateString(ctx context.Context, request validator.StringRequest, response *validator.StringResponse) {
	if value := request.ConfigValue; !value.IsNull() && !value.IsUnknown() && !namePattern.MatchString(value.ValueString()) {
		response.Diagnostics.AddAttributeError(request.Path, "This is not the name of a region", n.Description(ctx)+", not "+value.String()+".")
	}
}
