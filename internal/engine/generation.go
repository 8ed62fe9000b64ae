package engine

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
)

// Lighter's configurations come in two generations: since 0.1 with the sections model and data, before with one section system
// that holds both. What differs between them is here; the rest of the engine knows a model and a data module.

const systemSection = "system"

// ofSystem says whether a configuration is of the generation with a system. Beside a model, a system that is no component is a key of
// the user's own.
func ofSystem(c *config.Config) bool {
	n := c.At(systemSection)
	return n != nil && (n.Get("_target_") != nil || c.At("model") == nil)
}

// systemKeys are the sections that Lighter 0.0.x knows, and seed.
var systemKeys = []string{"trainer", systemSection, "project", "vars", "args", "seed", "_requires_"}

// rootsOf are the sections a stage needs.
func rootsOf(c *config.Config) []registry.Root {
	if !ofSystem(c) {
		return roots
	}
	return []registry.Root{
		{Path: systemSection, Kind: reflect.TypeFor[lighter.Model](), Wrong: func(got string) string { return "system must be System, got " + got }},
		roots[1],
	}
}

// checkGeneration finds what does not go with the generation of a configuration.
func checkGeneration(c *config.Config) (problems diag.List) {
	wrongModel := func(section, target, instead string) {
		n := c.At(section).Get("_target_")
		if n == nil {
			return
		}
		if e, ok := registry.Lookup(n.Text()); ok && e.Target == target {
			problems.Errorf(n.Pos, section, "%s can't stand under %s: %s", target, section, instead)
		}
	}
	if !ofSystem(c) {
		wrongModel("model", "lighter.System", "it is of Lighter 0.0.x, whose section is system, with the loaders under system::dataloaders and no data section")
		return problems
	}
	wrongModel(systemSection, "lighter.LighterModule", "system must be System, got LighterModule. It is of Lighter 0.1, whose sections are model and data")
	for _, p := range c.Root.Pairs {
		switch {
		case p.Key == "model" || p.Key == "data":
			d := problems.Errorf(p.KeyPos, p.Key, "%s and system don't go together: system is of Lighter 0.0.x and holds the network, as system::model, and the loaders, as system::dataloaders; model and data are of Lighter 0.1", p.Key)
			d.Hint = "keep one of the two forms"
		case !slices.Contains(systemKeys, p.Key):
			d := problems.Errorf(p.KeyPos, p.Key, "unknown top-level key %q: a configuration with a system has %s; values of your own go under vars", p.Key, strings.Join(systemKeys[:5], ", "))
			if near := diag.Nearest(p.Key, systemKeys, 1); len(near) > 0 {
				d.Hint = fmt.Sprintf("did you mean %q?", near[0])
			}
		}
	}
	return problems
}

// systemClasses are the classes that Lighter 0.1 gave other arguments, under the names of the modules that had them before.
var systemClasses = map[string]string{"lighter.callbacks.FileWriter": "lighter.callbacks.writer.file.FileWriter"}

// mapped is a configuration in the terms of the registry: for one with a system, a copy with its classes' unambiguous names, and
// with functions where adapters call them, which may be given without `_mode_: callable`.
func mapped(c *config.Config) *config.Config {
	if !ofSystem(c) {
		return c
	}
	m := *c
	m.Root = c.Root.Clone()
	each(m.Root, func(n *config.Node) {
		if t := n.Get("_target_"); t != nil {
			if to, ok := systemClasses[t.Text()]; ok {
				t.Value = to
			}
		}
	})
	each(m.At(config.Join(systemSection, "adapters")), func(n *config.Node) {
		for _, p := range n.Pairs {
			if strings.HasSuffix(p.Key, "_transforms") || strings.HasSuffix(p.Key, "_accessor") {
				makeCallable(p.Value)
				for _, item := range p.Value.Items {
					makeCallable(item)
				}
			}
		}
	})
	return &m
}

func each(n *config.Node, visit func(n *config.Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, item := range n.Items {
		each(item, visit)
	}
	for _, p := range n.Pairs {
		each(p.Value, visit)
	}
}

// makeCallable lets a component be called later if it is a function.
func makeCallable(n *config.Node) {
	target, ok := n.Target()
	if !ok || n.Get("_mode_") != nil {
		return
	}
	e, known := registry.Lookup(target)
	if known && (e.Kind == reflect.TypeFor[lighter.Module]() || e.Kind == reflect.TypeFor[lighter.Transform]()) {
		return
	}
	n.Pairs = append(n.Pairs, config.Pair{Key: "_mode_", KeyPos: n.Pos, Value: &config.Node{Kind: config.String, Value: "callable", Pos: n.Pos}})
}

// build makes the model, the trainer and the data module, in the order PyTorch's draws of random numbers ask for. Before the
// data, ready looks for what their run learnt earlier.
func build(b *registry.Build, c *config.Config, ready func(*Trainer) (registry.Learnt, error)) (*Trainer, error) {
	section := "model"
	if ofSystem(c) {
		section = systemSection
	}
	model, err := registry.Get[lighter.Model](b, section)
	if err != nil {
		return nil, err
	}
	t, err := registry.Get[*Trainer](b, "trainer")
	if err != nil {
		return nil, err
	}
	t.model, t.section = model, section
	t.stepper, _ = model.(lighter.StepModel)
	learnt, err := ready(t)
	if err != nil {
		return nil, err
	}
	b.Remember(learnt)
	data, isBoth := model.(lighter.DataModule)
	switch {
	case section == systemSection && !isBoth:
		err = errors.New("system must be System, got " + model.Tree().Class())
	case section == systemSection:
		t.data = data
	case b.Has("data"):
		t.data, err = registry.Get[lighter.DataModule](b, "data")
	}
	return t, err
}

// split takes "base.yaml,more.yaml", Lighter 0.0.x's list of files, apart where one of them has a system; other inputs stay as
// they are, since 0.1 takes no such lists.
func split(inputs []any) []any {
	var out []any
	for _, in := range inputs {
		text, _ := in.(string)
		parts := strings.Split(text, ",")
		if len(parts) < 2 || !slices.ContainsFunc(parts, hasSystem) {
			out = append(out, in)
			continue
		}
		for _, p := range parts {
			out = append(out, p)
		}
	}
	return out
}

var systemLine = regexp.MustCompile(`(?m)^system:`)

func hasSystem(file string) bool {
	text, err := os.ReadFile(file)
	return err == nil && systemLine.Match(text)
}
