package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testdata/saved holds what PyYAML makes of testdata/save.
func TestSavedAsPyYAML(t *testing.T) {
	files, err := filepath.Glob("testdata/save/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		c, diags := Compose(f)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		want, err := os.ReadFile(strings.Replace(f, "save", "saved", 1))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.YAML(); !bytes.Equal(got, want) {
			g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
			for i := range min(len(g), len(w)) {
				if g[i] != w[i] {
					t.Errorf("%s:%d: got %q, PyYAML has %q", f, i+1, g[i], w[i])
				}
			}
			if len(g) != len(w) {
				t.Errorf("%s: %d lines, PyYAML has %d", f, len(g), len(w))
			}
		}
	}
}

// A number that PyYAML takes for text is quoted as text, so that both read the text.
func TestSavedTextThatIsANumberHere(t *testing.T) {
	c, diags := Compose(map[string]any{"a": "1e-3", "b": 1e-3, "c": "1E5"})
	if want := "a: '1e-3'\nb: 0.001\nc: '1E5'\n"; diags != nil || string(c.YAML()) != want {
		t.Errorf("got %s, want %s", c.YAML(), want)
	}
}

// testdata/layered/saved.yaml is what Lighter 0.1.0 saved for this command line.
func TestSavedAsLighter(t *testing.T) {
	t.Chdir("testdata/layered")
	c, diags := composed("config.yaml", "experiment.yaml", "vars::width=12", "trainer::max_steps=50", "=vars::rates=[0.05, 0.005]",
		"model::network::_args_=[{_target_: torch.nn.LogSoftmax, dim: 1}]", "~vars::depth")
	if diags != nil {
		t.Fatal(diags)
	}
	want, err := os.ReadFile("saved.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.YAML(), want) {
		t.Errorf("saved\n%s\nLighter saved\n%s", c.YAML(), want)
	}
	if len(c.Imports) != 1 || c.Imports[0].Module != "torch" {
		t.Errorf("imports are %v", c.Imports)
	}
	if d, err := os.ReadFile("defaults.yaml"); err != nil || !bytes.Equal(c.Sources["defaults.yaml"], d) {
		t.Errorf("the source of defaults.yaml is not kept: %v", err)
	}
}
