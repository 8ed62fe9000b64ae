package registry

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter/internal/config"
)

func TestDescribe(t *testing.T) {
	e, _ := Lookup("toy.nn.Linear")
	var text, page strings.Builder
	e.Describe().Text(&text)
	e.Describe().Markdown(&page)
	if want := `toy.nn.Linear, kind layer

Arguments, in the order of _args_:
  in_features   an int (required)
                inputs
  out_features  an int (required)
                outputs
  bias          a bool (default true)
                add a bias
  padding_mode  one of zeros, reflect (default zeros)
                a word
  device        a str (default "", no effect)
                no effect

Also known as:
  toy.Linear
`; text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &text, want)
	}
	for _, want := range []string{"## toy.nn.Linear\n\nKind: layer. Also `toy.Linear`.\n", "| `bias` | a bool | `true` | add a bias |\n", "| `in_features` | an int | required | inputs |\n"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("%q is not in\n%s", want, &page)
		}
	}
}

// A default is written so that a configuration reads it back.
func TestDefaultsAsYAML(t *testing.T) {
	one := 1
	for _, c := range []struct {
		value any
		want  string
	}{
		{0.001, "0.001"}, {1e-8, "1e-08"}, {1.0, "1.0"}, {true, "true"}, {"zeros", "zeros"}, {"", `""`}, {"null", `"null"`}, {"off", `"off"`},
		{"1", `"1"`}, {"a: b", `"a: b"`}, {"val/loss", "val/loss"}, {[]float64{0.9, 0.999}, "[0.9, 0.999]"}, {[]float64(nil), "null"},
		{(*int)(nil), "null"}, {&one, "1"}, {map[string]int(nil), "null"},
	} {
		got := yamlOf(reflect.ValueOf(c.value))
		if got != c.want {
			t.Errorf("%#v: got %s, want %s", c.value, got, c.want)
		}
		back := compose(t, "v: "+got+"\n").Plain("v")
		switch v := c.value.(type) {
		case string, bool, float64:
			if back != v {
				t.Errorf("%s is read back as %#v, not %#v", got, back, v)
			}
		}
	}
}

func TestSchemaIsJSON(t *testing.T) {
	text, err := Schema(root)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Defs map[string]struct {
			Properties map[string]any
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	lr, _ := doc.Defs["toy.optim.SGD"].Properties["lr"].(map[string]any)
	if lr["default"] != 0.1 || lr["description"] != "step size (a float, default 0.1)" {
		t.Errorf("lr is described as %v", lr)
	}
	again, _ := Schema(root)
	if string(again) != string(text) {
		t.Error("two calls give different schemas")
	}
}

func TestResolvedKeepsWhatCannotBeReplaced(t *testing.T) {
	c := compose(t, `
run: {_target_: toy.Trainer, network: "@net"}
net: {_target_: toy.nn.Linear, in_features: "$1 + 1", out_features: "@net::in_features"}
built: "$@net.parameters()"
ring: {a: "@ring::b", b: "@ring::a"}
up: {whole: "@up"}
`)
	got := string(Resolved(c, Env{Stage: "fit", Log: zerolog.Nop()}).YAML())
	for _, want := range []string{"network:\n        _target_: toy.nn.Linear\n        in_features: 2\n        out_features: 2\n", "built: $@net.parameters()", "a: '@ring::"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

// References that multiply stop at a limit.
func TestResolvedIsBounded(t *testing.T) {
	var yaml strings.Builder
	yaml.WriteString("v0: [1, 2, 3, 4]\n")
	for i := 1; i < 30; i++ {
		last := "\"@v" + string(rune('a'+i-1)) + "\""
		if i == 1 {
			last = "\"@v0\""
		}
		yaml.WriteString("v" + string(rune('a'+i)) + ": [" + last + ", " + last + ", " + last + "]\n")
	}
	c := compose(t, yaml.String())
	if n := len(Resolved(c, Env{Log: zerolog.Nop()}).YAML()); n > 20<<20 {
		t.Errorf("the view has %d bytes", n)
	}
}

func TestExplain(t *testing.T) {
	c := compose(t, "run: {_target_: toy.nn.Linear, in_features: \"@size\"}\nsize: \"$2 * 3\"\n")
	for path, want := range map[string]string{
		"run::in_features":  "run::in_features is \"@size\"",
		"size":              "its value is 6",
		"run::bias":         "run::bias is not set: the default of toy.nn.Linear is true",
		"run::out_features": "toy.nn.Linear requires it",
		"run":               "the component toy.nn.Linear",
	} {
		places, err := Explain(c, Env{Log: zerolog.Nop()}, path)
		text := ""
		for _, p := range places {
			text += p.Line() + "\n"
		}
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("%s: got %q, %v, want %q", path, text, err, want)
		}
	}
	if places, _ := Explain(c, Env{Log: zerolog.Nop()}, "run::in_features"); len(places) != 2 {
		t.Errorf("a reference leads to one more place, got %v", places)
	}
	if _, err := Explain(c, Env{Log: zerolog.Nop()}, "run::nothing"); err == nil {
		t.Error("a path that is nowhere has no error")
	}
}

// ranged has two rules, one of them on two arguments.
type ranged struct {
	Low  int `cfg:"low" help:"at least 0"`
	High int `cfg:"high" help:"at least 0 and low"`
	Word int `cfg:"word" help:"anything"`
}

func (c ranged) Validate() error {
	switch {
	case c.Low < 0:
		return FieldError("low", "must not be negative")
	case c.High < 0:
		return FieldError("high", "must not be negative")
	case c.High < c.Low:
		return FieldError("high", "must be at least low")
	}
	return nil
}

func (c ranged) Build(*Env) (layer, error) { return nil, nil }

func init() { Register[layer]("toy.Ranged", ranged{High: 9}) }

func TestEveryValueOutsideItsRangeIsReported(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
	}{
		{"low: 1", nil},
		{"low: -1, high: -2", []string{"low of toy.Ranged: must not be negative", "high of toy.Ranged: must not be negative"}},
		{"low: -1, word: x", []string{"low of toy.Ranged: must not be negative", "word of toy.Ranged must be an int"}},
		{"low: 5, high: 4", []string{"high of toy.Ranged: must be at least low"}},
		{"low: x, high: 4", []string{"low of toy.Ranged must be an int"}},              // high may be right
		{"low: 10, high: x", []string{"high of toy.Ranged must be an int"}},            // and low too
		{"low: -1, hihg: 4", []string{"low of toy.Ranged: must", "unknown field"}},     // a rule and a slip
		{"low: \"$@net.Width()\", high: -1", []string{"high of toy.Ranged: must not"}}, // known only when it is built
	} {
		yaml := "run: {_target_: toy.Trainer, network: {_target_: toy.Ranged, " + c.args + "}}\nnet: {_target_: toy.nn.Linear, in_features: 1, out_features: 1}\n"
		problems := Check(compose(t, yaml), Env{Stage: "fit", Log: zerolog.Nop()}, root).Problems
		text := problems.Error()
		if len(problems) != len(c.want) {
			t.Errorf("%s: got %q, want %q", c.args, text, c.want)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: got %q, want %q", c.args, text, want)
			}
		}
	}
}

func TestMisspeltTargetKeys(t *testing.T) {
	const yaml = "run:\n  _target_: toy.Trainer\n  network: {KEY: toy.nn.Linear, in_features: 1, out_features: 1}\n"
	for _, key := range []string{"_traget_", "target", "_target", "_targets_", "Target"} {
		problems := Check(compose(t, strings.Replace(yaml, "KEY", key, 1)), Env{Stage: "fit", Log: zerolog.Nop()}, root).Problems
		if len(problems) != 1 || problems[0].Hint != `did you mean "_target_"?` {
			t.Errorf("%s: got %v, want one problem with the right key", key, problems)
		}
	}
	free := strings.Replace(yaml, "KEY: toy.nn.Linear", "_target_: \"%vars::target\"", 1) + "vars: {target: toy.nn.Linear}\n"
	if problems := Check(compose(t, free), Env{Stage: "fit", Log: zerolog.Nop()}, root).Problems; len(problems) > 0 {
		t.Errorf("a free key named target: %v", problems)
	}
}

func TestMergeDropsWhatFollows(t *testing.T) {
	c, composed := config.Compose(file(t, "ran:\n  _target_: toy.Trainer\n"))
	if composed.HasErrors() {
		t.Fatal(composed)
	}
	checked := Check(c, Env{Stage: "fit", Log: zerolog.Nop()}, root).Problems
	if !strings.Contains(checked.Error(), "run: section missing") {
		t.Fatalf("got %v", checked)
	}
	composed.Errorf(c.Root.Pairs[0].KeyPos, "", "unknown key %q", "ran").Hint = `did you mean "run"?`
	if got := Merge(composed, checked); strings.Contains(got.Error(), "section missing") || !strings.Contains(got.Error(), `unknown key "ran"`) {
		t.Errorf("got %v, want the slip alone", got)
	}
}
