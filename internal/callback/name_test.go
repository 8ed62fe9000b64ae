package callback

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// Numbers in file names are formatted as Python formats them.
func TestFormatNumberAsPython(t *testing.T) {
	data, err := os.ReadFile("testdata/format.json")
	must(t, err)
	var cases []struct {
		Value any
		Int   bool
		Spec  string
		Want  *string
	}
	must(t, json.Unmarshal(data, &cases))
	for _, c := range cases {
		var v any
		switch x := c.Value.(type) {
		case string:
			v = map[string]float64{"nan": math.NaN(), "inf": math.Inf(1)}[x]
		case float64:
			if v = x; c.Int {
				v = int64(x)
			}
		}
		got, err := formatNumber(v, c.Spec)
		switch {
		case c.Want == nil && err == nil:
			t.Errorf("format(%v, %q) gives %q, Python refuses", v, c.Spec, got)
		case c.Want != nil && (err != nil || got != *c.Want):
			t.Errorf("format(%v, %q) gives %q, %v; Python %q", v, c.Spec, got, err, *c.Want)
		}
	}
}

func TestNameTemplate(t *testing.T) {
	cs := candidates{metrics: map[string]float64{"val/loss": 0.123456, "a.b": 2}, epoch: 3, step: 40}
	for _, c := range []struct {
		template string
		insert   bool
		want     string
	}{
		{"{epoch}-{step}", true, "epoch=3-step=40"},
		{"{epoch:02d}-{val/loss:.2f}", true, "epoch=03-val/loss=0.12"},
		{"e{epoch}-{val/loss:.3f}", false, "e3-0.123"},
		{"{a.b}_{epoch}{epoch}", true, "a.b=2.0_epoch=3epoch=3"},
		{"{missing}-{missing:.2}", true, "missing=0-missing=0.0"},
		{"{{x}}", true, "{x}"},
		{"plain", true, "plain"},
	} {
		tpl, err := parseName(c.template)
		must(t, err)
		got, err := tpl.format(cs, c.insert)
		if err != nil || got != c.want {
			t.Errorf("%q: %q, %v, want %q", c.template, got, err, c.want)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"{epoch}-{step}", "{", "}", "{{", "{a:{b}}", "{epoch:05d}x{val/loss:.2f}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tpl, err := parseName(s)
		if err != nil || tpl.check() != nil {
			return
		}
		if _, err := tpl.format(candidates{}, true); err != nil {
			t.Errorf("%q passes the check and fails at the first checkpoint: %v", s, err)
		}
	})
}
