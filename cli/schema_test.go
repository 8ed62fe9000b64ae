package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/lighter-go/lighter/internal/engine"
	"github.com/lighter-go/lighter/internal/registry"
)

// compiled is the schema as a validator has it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := engine.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaFile, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func TestSchemaAcceptsConfigs(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("../configs/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, file := range append(files, "starter.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, b := range blocks(t, "yaml") {
		if err := validate(t, s, []byte(b.text)); err != nil {
			t.Errorf("%v: %v", b, err)
		}
	}
}

// Every row replaces a part of a sound configuration.
func TestSchemaTellsGoodFromBad(t *testing.T) {
	s := compiled(t)
	const base = `
trainer: {_target_: pytorch_lightning.Trainer, max_epochs: 3}
model:
  _target_: lighter.LighterModule
  network: {_target_: torch.nn.Linear, in_features: 2, out_features: 3, bias: true}
  criterion: {_target_: torch.nn.CrossEntropyLoss, reduction: mean}
  optimizer: {_target_: torch.optim.Adam, params: "$@model::network.parameters()", lr: 0.1, betas: [0.9, 0.99]}
data: {_target_: lighter.LighterDataModule}
seed: 1
vars: {any: {thing: 1}}
other: {net: {_target_: torch.nn.ReLU}}
`
	for _, c := range []struct {
		name, old, new string
		good           bool
	}{
		{"as it is", "", "", true},
		{"reference", "max_epochs: 3", `max_epochs: "@vars::any"`, true},
		{"raw copy", "bias: true", `bias: "%vars::any"`, true},
		{"expression", "lr: 0.1", `lr: "$1 / 10"`, true},
		{"expression in a list", "betas: [0.9, 0.99]", `betas: [0.9, "$1 - 0.01"]`, true},
		{"reference to a component", "network: {_target_: torch.nn.Linear, in_features: 2, out_features: 3, bias: true}", `network: "@other::net"`, true},
		{"null for a number that may be", "max_epochs: 3", "max_epochs: null", true},
		{"int for a float", "lr: 0.1", "lr: 1", true},
		{"replace", "lr: 0.1", "=lr: 0.1", true},
		{"remove", "lr: 0.1", "~lr: null", true},
		{"remove elements", "betas: [0.9, 0.99]", "~betas: [0]", true},
		{"replace a section", "seed: 1", "=trainer: {_target_: pytorch_lightning.Trainer}", true},
		{"an overlay without _target_", "_target_: torch.nn.Linear, ", "", true},
		{"an alias", "torch.nn.Linear", "torch.nn.modules.linear.Linear", true},
		{"positional", "in_features: 2, out_features: 3", "_args_: [2, 3]", true},
		{"disabled", "bias: true", "_disabled_: true", true},
		{"a path key", "seed: 1", "model::network::bias: false", true},
		{"imports", "seed: 1", "_imports_: {m: math}", true},
		{"a logger that is none", "max_epochs: 3", "logger: false", true},
		{"a callback", "max_epochs: 3", "callbacks: {_target_: pytorch_lightning.callbacks.ModelCheckpoint}", true},
		{"callbacks", "max_epochs: 3", "callbacks: [{_target_: pytorch_lightning.callbacks.ModelCheckpoint}, \"@other::x\"]", true},
		{"project", "lighter.LighterModule", "project.net.Net", true},

		{"a misspelt argument", "in_features", "in_featurs", false},
		{"a misspelt argument with an operator", "lr: 0.1", "=lrr: 0.1", false},
		{"a str for an int", "in_features: 2", "in_features: two", false},
		{"a float for an int", "in_features: 2", "in_features: 2.5", false},
		{"a str for a bool", "bias: true", "bias: maybe", false},
		{"a number for a list", "betas: [0.9, 0.99]", "betas: 0.9", false},
		{"a str in a list of numbers", "betas: [0.9, 0.99]", "betas: [0.9, x]", false},
		{"null for a number", "lr: 0.1", "lr: null", false},
		{"a word that is none of them", "reduction: mean", "reduction: meen", false},
		{"an unknown target", "torch.nn.Linear", "torch.nn.Linaer", false},
		{"an unknown target in a free section", "torch.nn.ReLU", "torch.nn.RELUU", false},
		{"a component of another kind", "_target_: torch.nn.CrossEntropyLoss, reduction: mean", "_target_: torch.optim.Adam", false},
		{"a callback that is none", "max_epochs: 3", "callbacks: [{_target_: torch.nn.ReLU}]", false},
		{"a logger of another kind", "max_epochs: 3", "logger: {_target_: torch.nn.ReLU}", false},
		{"a misspelt argument in a list", "max_epochs: 3", "callbacks: [{_target_: pytorch_lightning.callbacks.ModelCheckpoint, monitr: x}]", false},
		{"a wrong section", "_target_: lighter.LighterDataModule", "_target_: torch.nn.ReLU", false},
		{"a value to remove with", "lr: 0.1", "~lr: 0.1", false},
		{"a mode", "bias: true", "_mode_: calable", false},
		{"positional arguments that are no list", "in_features: 2, out_features: 3", "_args_: 2", false},
		{"a seed", "seed: 1", "seed: 1.5", false},
	} {
		if !bytes.Contains([]byte(base), []byte(c.old)) {
			t.Fatalf("%s: nothing to replace", c.name)
		}
		err := validate(t, s, bytes.Replace([]byte(base), []byte(c.old), []byte(c.new), 1))
		if (err == nil) != c.good {
			t.Errorf("%s: got %v, want good %t", c.name, err, c.good)
		}
	}
}

// TestReferencePages: docs/reference says what the components say.
func TestReferencePages(t *testing.T) {
	const dir = "../docs/reference"
	pages := registry.Reference()
	for name, want := range pages {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale: make docs", filepath.Join(dir, name))
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if pages[f.Name()] == nil {
			t.Errorf("%s has no components: make docs", filepath.Join(dir, f.Name()))
		}
	}
}

// TestCoverage: no name of the modules that the page of coverage goes through is missing silently.
func TestCoverage(t *testing.T) {
	all, unused := registry.Coverage()
	if len(all) == 0 {
		t.Fatal("coverage.txt lists no module")
	}
	for _, c := range all {
		if c.Unexplained != nil {
			t.Errorf("%s: neither here nor with a reason in coverage.txt: %v", c.Module, c.Unexplained)
		}
		if c.Share() < 0.95 {
			t.Errorf("%s: %.1f %% of the names are done, want 95", c.Module, 100*c.Share())
		}
	}
	if unused != nil {
		t.Errorf("coverage.txt explains what is no longer missing: %v", unused)
	}
}
