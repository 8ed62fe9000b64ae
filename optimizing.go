package lighter

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter/tensor"
)

// ParamGroups is what an optimizer is made of that steps parameter by parameter: embed it, and Name and Step are left to write.
// It holds the groups with their options and, for every parameter, tensors of the optimizer's own.
type ParamGroups struct {
	groups []*ParamGroup
	all    tensor.List
	names  []string // of the tensors of a parameter
	states map[*ParamGroup][]paramState
}

type paramState struct {
	tensors []tensor.Tensor
	updated bool
}

// NewParamGroups takes the groups of the argument `params`, with the optimizer's own options where a group does not have them. Each
// of state names a tensor that every parameter has beside it, as PyTorch's state dict does: "exp_avg". It is of the parameter's
// shape and zero at first, and belongs to the scope the optimizer is built in.
func NewParamGroups(p Params, options []Option, state ...string) (_ *ParamGroups, err error) {
	defer tensor.Recover(&err)
	o := &ParamGroups{names: state, states: map[*ParamGroup][]paramState{}}
	var all []tensor.Tensor
	for i, given := range p.Groups {
		g := &ParamGroup{Params: given.Params, Options: slices.Clone(given.Options)}
		for _, option := range options {
			if g.Option(option.Name) == nil {
				g.SetOption(option.Name, option.Value)
			}
		}
		for _, param := range given.Params {
			if !param.IsLeaf() {
				return nil, FieldError("params", "group %d: can't optimize a non-leaf Tensor", i)
			}
			if slices.ContainsFunc(all, param.Same) {
				return nil, FieldError("params", "group %d: some parameters appear in more than one parameter group", i)
			}
			all = append(all, param)
			s := paramState{}
			for range state {
				s.tensors = append(s.tensors, param.Detach().ZerosLike())
			}
			o.states[g] = append(o.states[g], s)
		}
		o.groups = append(o.groups, g)
	}
	if len(all) == 0 {
		return nil, FieldError("params", "optimizer got an empty parameter list")
	}
	o.all = tensor.NewList(all)
	return o, nil
}

// Each visits every parameter that has a gradient, with its group and its tensors in the order of their names, without recording
// gradients. What update makes is freed when Each returns; it changes param and state in place.
func (o *ParamGroups) Each(update func(g *ParamGroup, param, grad tensor.Tensor, state []tensor.Tensor)) {
	defer tensor.Open().Close()
	tensor.NoGrad(func() {
		for _, g := range o.groups {
			for i, p := range g.Params {
				if grad := p.Grad(); grad.Defined() {
					s := &o.states[g][i]
					s.updated = true
					update(g, p, grad, s.tensors)
				}
			}
		}
	})
}

// Groups implements [Optimizer].
func (o *ParamGroups) Groups() []*ParamGroup { return o.groups }

// Params implements [Optimizer].
func (o *ParamGroups) Params() tensor.List { return o.all }

// ZeroGrad implements [Optimizer].
func (o *ParamGroups) ZeroGrad() { o.all.ZeroGrad(true) }

// Close gives back what the list of parameters holds.
func (o *ParamGroups) Close() error {
	o.all.Free()
	o.all = tensor.List{}
	return nil
}

// States are the optimizer's tensors, which move to a device with the model.
func (o *ParamGroups) States() []tensor.Tensor {
	var all []tensor.Tensor
	for _, g := range o.groups {
		for _, s := range o.states[g] {
			all = append(all, s.tensors...)
		}
	}
	return all
}

// StateDict implements [Optimizer]. Its tensors are the optimizer's own.
func (o *ParamGroups) StateDict() OptimizerState {
	d := OptimizerState{State: map[int][]NamedValue{}}
	n := 0
	for _, g := range o.groups {
		saved := GroupState{Options: slices.Clone(g.Options)}
		for _, s := range o.states[g] {
			if s.updated {
				for k, t := range s.tensors {
					d.State[n] = append(d.State[n], NamedValue{Name: o.names[k], Value: t})
				}
			}
			saved.Params = append(saved.Params, n)
			n++
		}
		d.Groups = append(d.Groups, saved)
	}
	return d
}

// LoadStateDict implements [Optimizer]. The options of the state dict replace those configured, as in PyTorch.
func (o *ParamGroups) LoadStateDict(d OptimizerState) (err error) {
	defer tensor.Recover(&err)
	if len(d.Groups) != len(o.groups) {
		return fmt.Errorf("loaded state dict has %d parameter groups, the optimizer %d", len(d.Groups), len(o.groups))
	}
	for i, saved := range d.Groups {
		g := o.groups[i]
		if len(saved.Params) != len(g.Params) {
			return fmt.Errorf("loaded state dict has %d parameters in group %d, the optimizer %d", len(saved.Params), i, len(g.Params))
		}
		for _, option := range saved.Options {
			g.SetOption(option.Name, option.Value)
		}
		for k, n := range saved.Params {
			if err := o.loadParam(&o.states[g][k], d.State[n]); err != nil {
				return fmt.Errorf("state of parameter %d: %w", n, err)
			}
		}
	}
	return nil
}

// loadParam takes over the tensors of a parameter; none means that it was never updated.
func (o *ParamGroups) loadParam(s *paramState, values []NamedValue) error {
	s.updated = values != nil
	for k, name := range o.names {
		if !s.updated {
			s.tensors[k].Fill(0)
			continue
		}
		i := slices.IndexFunc(values, func(v NamedValue) bool { return v.Name == name })
		if i < 0 {
			return fmt.Errorf("%q is missing", name)
		}
		t, ok := values[i].Value.(tensor.Tensor)
		if !ok || !t.SameShape(s.tensors[k].Shape()) {
			return fmt.Errorf("%q must be a Tensor of shape %s", name, SizeText(s.tensors[k]))
		}
		s.tensors[k].CopyInPlace(t)
	}
	return nil
}
