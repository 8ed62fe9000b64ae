package callback

import (
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/tensor"
)

// freezable is the model of testdata/callbacks.py: the last bias is frozen from the start.
func freezable() *module {
	linear := func(in, out int64) *module {
		m := named("torch.nn.Linear")
		m.param("weight", out, in)
		m.param("bias", out)
		return m
	}
	last := linear(2, 1)
	last.Params()[1].Value.SetRequiresGrad(false)
	network := named("torch.nn.Sequential", lighter.Child{Name: "0", Module: linear(2, 2)}, lighter.Child{Name: "1", Module: named("torch.nn.ReLU")}, lighter.Child{Name: "2", Module: last})
	return named("lighter.LighterModule", lighter.Child{Name: "network", Module: network})
}

// After every batch start the same parameters are trainable, and the same is reported, as with Lighter's Freezer.
func TestFreezerAsLighter(t *testing.T) {
	for _, c := range golden[[]struct {
		Name  string
		Args  map[string]any
		Steps []struct {
			Epoch     int
			Step      int64
			Trainable []string
			Log       []string
		}
	}](t, "freezer.json") {
		t.Run(c.Name, func(t *testing.T) {
			s := tensor.Open()
			defer s.Close()
			model := freezable()
			built, log := configured(t, "lighter.callbacks.Freezer", c.Args)
			for i, step := range c.Steps {
				from := len(log.String())
				tr := &callbacktest.Trainer{AtEpoch: step.Epoch, AtStep: step.Step, Network: model}
				must(t, built.(*freezer).BatchStart(tr, nil, 0))
				var trainable []string
				for _, p := range networkOf(model).Params() {
					if p.Value.RequiresGrad() {
						trainable = append(trainable, p.Name)
					}
				}
				if !slices.Equal(trainable, step.Trainable) {
					t.Errorf("batch %d: trainable are %q, want %q", i, trainable, step.Trainable)
				}
				if got := reports(t, log, from); !slices.Equal(got, step.Log) {
					t.Errorf("batch %d: reported %q, want %q", i, got, step.Log)
				}
			}
		})
	}
}

func TestFreezerNamesWhatFitsNothing(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	built, log := build(t, Freezer{Names: Names{"0.weihgt"}, NameStartsWith: Names{"layer1"}, ExceptNames: Names{"2.bias"}})
	tr := &callbacktest.Trainer{Network: freezable(), InMode: lighter.Val}
	must(t, built.(*freezer).BatchStart(tr, nil, 0))
	if log.String() != "" {
		t.Errorf("a validation batch reported %s", log)
	}
	tr.InMode = lighter.Train
	must(t, built.(*freezer).BatchStart(tr, nil, 0))
	for _, want := range []string{`no parameter \"0.weihgt\"`, `begins with \"layer1\"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no report of %s in %s", want, log)
		}
	}
}

func TestFreezerRefuses(t *testing.T) {
	for want, a := range map[string]Freezer{
		"At least one of `names` or `name_starts_with` must be specified.": {ExceptNames: Names{"a"}},
		"Only one of `until_step` or `until_epoch` can be specified.":      {Names: Names{"a"}, UntilStep: new(1), UntilEpoch: new(1)},
	} {
		if err := a.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	var n Names
	for _, v := range []any{int64(1), []any{"a", int64(1)}} {
		if err := n.DecodeConfig(v); err == nil {
			t.Errorf("%v was accepted", v)
		}
	}
}
