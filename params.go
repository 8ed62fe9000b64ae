package lighter

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/tensor"
)

// Params is the `params` argument of an optimizer: a list of tensors, which `@model::network.parameters()` is, or of
// (name, tensor) pairs as of named_parameters(), or of groups: maps with `params` and options of their own.
type Params struct {
	Groups []ParamsGroup
}

// ParamsGroup is one group of parameters and the options that differ from the optimizer's own, in the order given. Names
// are those of the parameters, nil when they have none.
type ParamsGroup struct {
	Params  []tensor.Tensor
	Names   []string
	Options []Option
}

// ConfigType implements the registry's Decoder.
func (*Params) ConfigType() string {
	return "a list of tensors, as of `$@model::network.parameters()`, or a list of mappings with `params`"
}

// DecodeConfig implements the registry's Decoder. Its errors are PyTorch's.
func (p *Params) DecodeConfig(v any) error {
	var items []any
	switch v := v.(type) {
	case []any:
		items = v
	case parameters:
		items = v.Iterate()
	default:
		return fmt.Errorf("params argument given to the optimizer should be an iterable of Tensors or dicts, but got %s", TypeName(v))
	}
	if len(items) == 0 {
		return errors.New("optimizer got an empty parameter list")
	}
	if _, groups := items[0].(*config.Dict); !groups {
		g, err := groupOf(items)
		p.Groups = []ParamsGroup{g}
		return err
	}
	for i, item := range items {
		d, ok := item.(*config.Dict)
		if !ok {
			return fmt.Errorf("param_group must be a dict, but got %s", TypeName(item))
		}
		g, err := groupFrom(d)
		if err != nil {
			return fmt.Errorf("parameter group %d: %w", i, err)
		}
		p.Groups = append(p.Groups, g)
	}
	return nil
}

func groupFrom(d *config.Dict) (g ParamsGroup, err error) {
	given := false
	for i, k := range d.Keys {
		name, ok := k.(string)
		switch {
		case !ok:
			return g, fmt.Errorf("the name of an option must be a str, got %v", k)
		case name != "params":
			g.Options = append(g.Options, Option{name, d.Values[i]})
			continue
		}
		given = true
		var one ParamsGroup
		switch v := d.Values[i].(type) {
		case tensor.Tensor:
			one, err = groupOf([]any{v})
		case []any:
			one, err = groupOf(v)
		case parameters:
			one, err = groupOf(v.Iterate())
		default:
			err = fmt.Errorf("params must be a list of tensors, got %s", TypeName(v))
		}
		if err != nil {
			return g, err
		}
		g.Params, g.Names = one.Params, one.Names
	}
	if !given {
		return g, errors.New("params is missing")
	}
	return g, nil
}

// groupOf takes tensors, or (name, tensor) pairs.
func groupOf(items []any) (g ParamsGroup, err error) {
	for _, item := range items {
		if pair, ok := item.([]any); ok && len(pair) == 2 {
			if name, ok := pair[0].(string); ok {
				g.Names = append(g.Names, name)
				item = pair[1]
			}
		}
		t, ok := item.(tensor.Tensor)
		if !ok {
			return g, fmt.Errorf("optimizer can only optimize Tensors, but one of the params is %s", TypeName(item))
		}
		g.Params = append(g.Params, t)
	}
	if g.Names != nil && len(g.Names) != len(g.Params) {
		return g, errors.New("all optimizer params should be with/without names. Some param names are missing")
	}
	return g, nil
}

// parameters is what an expression's `network.parameters()` and `network.named_parameters()` give.
type parameters struct {
	list  []Named
	named bool
}

// Iterate gives the tensors, or (name, tensor) pairs.
func (p parameters) Iterate() []any {
	items := make([]any, len(p.list))
	for i, n := range p.list {
		items[i] = n.Value
		if p.named {
			items[i] = []any{n.Name, n.Value}
		}
	}
	return items
}

// Attr gives expressions a module's parameters(), named_parameters() and state by name, as PyTorch does: `training`,
// children (`@model::network.encoder`), parameters and buffers (`.weight`).
func (n *Node) Attr(name string) (v any, ok bool, names []string) {
	switch name {
	case "parameters", "named_parameters":
		return func(args []any, kwargs map[string]any) (any, error) {
			if len(args)+len(kwargs) > 0 {
				return nil, fmt.Errorf("%s() takes no arguments here", name)
			}
			return parameters{n.Params(), name == "named_parameters"}, nil
		}, true, nil
	case "training":
		return n.Training(), true, nil
	}
	names = []string{"parameters", "named_parameters", "training"}
	for _, c := range n.children {
		if c.Name == name {
			return c.Module, true, nil
		}
		names = append(names, c.Name)
	}
	for _, e := range n.entries {
		if e.name == name {
			return e.value, true, nil
		}
		names = append(names, e.name)
	}
	return nil, false, names
}
