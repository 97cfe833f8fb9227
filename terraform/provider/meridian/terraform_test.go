package meridian_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meridian-store/meridian/terraform/provider/meridian"
)

// terraform asks the provider what Terraform would, in Terraform's own protocol.
type terraform struct {
	t      *testing.T
	home   string
	server tfprotov6.ProviderServer
	types  map[string]tftypes.Object
}

// values are the attributes of a resource; what is missing is null.
type values map[string]tftypes.Value

func text(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }

func list(names ...string) tftypes.Value {
	var elements []tftypes.Value
	for _, name := range names {
		elements = append(elements, text(name))
	}
	return tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, elements)
}

// start gives a provider for a home of its own, whose program is this test program.
func start(t *testing.T) *terraform {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tf := &terraform{t: t, home: t.TempDir(), server: providerserver.NewProtocol6(meridian.New())(), types: map[string]tftypes.Object{}}
	schemas, err := tf.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	noErrors(t, schemas.Diagnostics)
	for name, schema := range schemas.ResourceSchemas {
		tf.types[name] = schema.ValueType().(tftypes.Object)
	}
	of := schemas.Provider.ValueType().(tftypes.Object)
	config := object(of, values{"home": text(tf.home), "binary": text(program)})
	configured, err := tf.server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: pack(t, of, config)})
	if err != nil {
		t.Fatal(err)
	}
	noErrors(t, configured.Diagnostics)
	return tf
}

// apply plans and applies one resource, as Terraform does; config nil destroys it. changed says whether there was anything to do.
func (tf *terraform) apply(name string, prior *tftypes.Value, config values) (after *tftypes.Value, changed bool) {
	tf.t.Helper()
	of := tf.types[name]
	plan := tf.plan(name, prior, config)
	noErrors(tf.t, plan.Diagnostics)
	before := tf.packState(name, prior)
	if equal(tf.t, of, plan.PlannedState, before) {
		return prior, false
	}
	response, err := tf.server.ApplyResourceChange(tf.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: name, PriorState: before, PlannedState: plan.PlannedState, PlannedPrivate: plan.PlannedPrivate, Config: tf.packConfig(name, config),
	})
	if err != nil {
		tf.t.Fatal(err)
	}
	noErrors(tf.t, response.Diagnostics)
	return tf.unpack(name, response.NewState), true
}

func (tf *terraform) plan(name string, prior *tftypes.Value, config values) *tfprotov6.PlanResourceChangeResponse {
	tf.t.Helper()
	proposed := tftypes.NewValue(tf.types[name], nil)
	if config != nil {
		proposed = tf.propose(name, prior, config)
	}
	response, err := tf.server.PlanResourceChange(tf.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: name, PriorState: tf.packState(name, prior), ProposedNewState: pack(tf.t, tf.types[name], proposed), Config: tf.packConfig(name, config),
	})
	if err != nil {
		tf.t.Fatal(err)
	}
	return response
}

// propose is what Terraform proposes: the configuration, and where it says nothing what was there.
func (tf *terraform) propose(name string, prior *tftypes.Value, config values) tftypes.Value {
	merged := values{}
	if prior != nil {
		for key, value := range attributes(tf.t, *prior) {
			merged[key] = value
		}
	}
	for key, value := range config {
		merged[key] = value
	}
	return object(tf.types[name], merged)
}

// read refreshes a resource; nil means that it is gone.
func (tf *terraform) read(name string, state *tftypes.Value) *tftypes.Value {
	tf.t.Helper()
	response, err := tf.server.ReadResource(tf.t.Context(), &tfprotov6.ReadResourceRequest{TypeName: name, CurrentState: tf.packState(name, state)})
	if err != nil {
		tf.t.Fatal(err)
	}
	noErrors(tf.t, response.Diagnostics)
	return tf.unpack(name, response.NewState)
}

func (tf *terraform) adopt(name, id string) *tftypes.Value {
	tf.t.Helper()
	response, err := tf.server.ImportResourceState(tf.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: name, ID: id})
	if err != nil {
		tf.t.Fatal(err)
	}
	noErrors(tf.t, response.Diagnostics)
	return tf.read(name, tf.unpack(name, response.ImportedResources[0].State))
}

func (tf *terraform) packState(name string, state *tftypes.Value) *tfprotov6.DynamicValue {
	if state == nil {
		return pack(tf.t, tf.types[name], tftypes.NewValue(tf.types[name], nil))
	}
	return pack(tf.t, tf.types[name], *state)
}

func (tf *terraform) packConfig(name string, config values) *tfprotov6.DynamicValue {
	if config == nil {
		return pack(tf.t, tf.types[name], tftypes.NewValue(tf.types[name], nil))
	}
	return pack(tf.t, tf.types[name], object(tf.types[name], config))
}

func (tf *terraform) unpack(name string, packed *tfprotov6.DynamicValue) *tftypes.Value {
	tf.t.Helper()
	value, err := packed.Unmarshal(tf.types[name])
	if err != nil {
		tf.t.Fatal(err)
	}
	if value.IsNull() {
		return nil
	}
	return &value
}

func object(of tftypes.Object, given values) tftypes.Value {
	all := map[string]tftypes.Value{}
	for key, kind := range of.AttributeTypes {
		all[key] = tftypes.NewValue(kind, nil)
		if value, ok := given[key]; ok {
			all[key] = value
		}
	}
	return tftypes.NewValue(of, all)
}

func pack(t *testing.T, of tftypes.Object, value tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	packed, err := tfprotov6.NewDynamicValue(of, value)
	if err != nil {
		t.Fatal(err)
	}
	return &packed
}

func equal(t *testing.T, of tftypes.Object, a, b *tfprotov6.DynamicValue) bool {
	t.Helper()
	left, err := a.Unmarshal(of)
	if err != nil {
		t.Fatal(err)
	}
	right, err := b.Unmarshal(of)
	if err != nil {
		t.Fatal(err)
	}
	return left.Equal(right)
}

func attributes(t *testing.T, of tftypes.Value) values {
	t.Helper()
	given := map[string]tftypes.Value{}
	if err := of.As(&given); err != nil {
		t.Fatal(err)
	}
	return given
}

// stringOf and boolOf read one attribute; namesOf a set of names, sorted.
func stringOf(t *testing.T, of *tftypes.Value, key string) (s string) {
	t.Helper()
	into(t, of, key, &s)
	return s
}

func boolOf(t *testing.T, of *tftypes.Value, key string) (b bool) {
	t.Helper()
	into(t, of, key, &b)
	return b
}

func namesOf(t *testing.T, of *tftypes.Value, key string) string {
	t.Helper()
	var elements []tftypes.Value
	into(t, of, key, &elements)
	var names []string
	for _, element := range elements {
		var name string
		if err := element.As(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func into(t *testing.T, of *tftypes.Value, key string, target any) {
	t.Helper()
	if of == nil {
		t.Fatalf("%s of a resource that is gone", key)
	}
	if err := attributes(t, *of)[key].As(target); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
}

func noErrors(t *testing.T, diagnostics []*tfprotov6.Diagnostic) {
	t.Helper()
	if found := errorsIn(diagnostics); found != "" {
		t.Fatal(found)
	}
}

func errorsIn(diagnostics []*tfprotov6.Diagnostic) string {
	var found []string
	for _, d := range diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			found = append(found, d.Summary+": "+d.Detail)
		}
	}
	return strings.Join(found, "\n")
}
