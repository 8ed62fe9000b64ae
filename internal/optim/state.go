package optim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// prepare makes the state that a group's options ask for, keeping what there is, and the lists of a step.
func (o *optimizer) prepare(g *group) {
	g.free()
	g.aligned = false
	fused, given := g.Option("fused").(bool)
	g.fused = (fused || !given && o.rule.byDefault && g.Option("foreach") == nil && fusedByDefault()) && o.rule.fused != nil && !g.reduced()
	var state []column
	for _, s := range o.rule.columns(g.ParamGroup) {
		c := column{spec: s, values: g.column(s.name)}
		for i := len(c.values); i < len(g.Params); i++ {
			c.values = append(c.values, o.own(s.make(g.Params[i])))
		}
		state = append(state, c)
	}
	g.state = state
	if o.rule.counts && g.step == nil {
		for range g.Params {
			g.step = append(g.step, o.own(tensor.Zeros(nil, tensor.Float32, tensor.Device{})))
		}
	}
	g.bucketize()
}

// make is a parameter's tensor of a column.
func (s *spec) make(p tensor.Tensor) tensor.Tensor {
	switch {
	case s.scalar:
		return tensor.Zeros(nil, tensor.Float32, tensor.Device{})
	case s.shape == nil:
		return p.Detach().ZerosLike()
	}
	if shape, ok := s.shape(p); ok {
		return tensor.Zeros(shape, p.DType(), p.Device())
	}
	return tensor.Tensor{}
}

// begin fills what parameter i's first gradient finds.
func (g *group) begin(i int) {
	for _, c := range g.state {
		if c.spec.begin != nil && c.values[i].Defined() {
			c.values[i].Fill(c.spec.begin(g.ParamGroup))
		}
	}
}

// own keeps state that is made after the build, when a scheduler turns on the momentum or a checkpoint brings an option: it
// outlives the scope that it is made in.
func (o *optimizer) own(t tensor.Tensor) tensor.Tensor {
	if !o.built || !t.Defined() {
		return t
	}
	k := t.Keep()
	o.kept = append(o.kept, k)
	return k
}

func (g *group) column(name string) []tensor.Tensor {
	for _, c := range g.state {
		if c.name == name {
			return c.values
		}
	}
	return nil
}

func (g *group) bucketize() {
	of := map[tensor.DType]*bucket{}
	for i, p := range g.Params {
		b := of[p.DType()]
		if b == nil {
			b = &bucket{g: g}
			of[p.DType()] = b
			g.buckets = append(g.buckets, b)
		}
		b.index = append(b.index, i)
	}
	for _, b := range g.buckets {
		b.params, b.state, b.step = b.lists(b.index)
	}
}

// lists makes the lists of some of a group's parameters.
func (b *bucket) lists(index []int) (params tensor.List, state []tensor.List, step tensor.List) {
	pick := func(all []tensor.Tensor) tensor.List {
		some := make([]tensor.Tensor, len(index))
		for k, i := range index {
			some[k] = all[i]
		}
		return tensor.NewList(some)
	}
	for _, c := range b.g.state {
		state = append(state, pick(c.values))
	}
	if b.g.step != nil {
		step = pick(b.g.step)
	}
	return pick(b.g.Params), state, step
}

func (g *group) free() {
	for _, b := range g.buckets {
		b.params.Free()
		b.step.Free()
		for _, l := range b.state {
			l.Free()
		}
	}
	g.buckets = nil
}

// newly marks the parameters of a bucket that get their first gradient now as started and returns them. It costs nothing
// once all have started.
func (b *bucket) newly() (index []int) {
	if b.g.pending == 0 {
		return nil
	}
	s := tensor.Open()
	defer s.Close()
	for _, i := range b.index {
		if !b.g.started[i] && b.g.Params[i].Grad().Defined() {
			index = append(index, i)
			b.g.started[i] = true
			b.g.pending--
			if !b.g.rule.eager {
				b.g.begin(i)
			}
		}
	}
	return index
}

// reduced says whether the group has 16-bit parameters on the CPU. libtorch's fused SGD leaves most elements of those as they
// are there, and its fused Adam rounds otherwise than PyTorch's loop.
func (g *group) reduced() bool {
	for _, p := range g.Params {
		if d := p.DType(); p.Device().Type == tensor.CPU && (d == tensor.Float16 || d == tensor.BFloat16) {
			return true
		}
	}
	return false
}

// align puts the state where its parameters are now, laid out and of the type as they are: all may have changed since it was
// made, and a fused operation walks through parameter, gradient and state side by side in memory.
func (g *group) align() {
	g.aligned = true
	s := tensor.Open()
	defer s.Close()
	for i, p := range g.Params {
		for _, c := range g.state {
			v := c.values[i]
			switch {
			case c.scalar || !v.Defined():
			case c.shape != nil:
				v.SetData(v.To(p.Device(), p.DType()))
			case v.Device() != p.Device() || v.DType() != p.DType() || !slices.Equal(v.Strides(), p.Strides()):
				there := p.Detach().ZerosLike()
				there.CopyInPlace(v)
				v.SetData(there)
			}
		}
		if g.step == nil {
			continue
		}
		where := tensor.Device{}
		if g.fused {
			where = p.Device()
		}
		if g.step[i].Device() != where {
			g.step[i].SetData(g.step[i].To(where, tensor.Float32))
		}
	}
}

// States gives the state's tensors, to move them to a device.
func (o *optimizer) States() []tensor.Tensor {
	var all []tensor.Tensor
	for _, g := range o.groups {
		for _, c := range g.state {
			for _, v := range c.values {
				if v.Defined() && !c.scalar {
					all = append(all, v)
				}
			}
		}
	}
	return all
}

// StateDict implements lighter.Optimizer. Its tensors are the optimizer's own.
func (o *optimizer) StateDict() lighter.OptimizerState {
	d := lighter.OptimizerState{State: map[int][]lighter.NamedValue{}}
	n := 0
	for _, g := range o.groups {
		saved := lighter.GroupState{Options: append([]lighter.Option(nil), g.Options...)}
		for i := range g.Params {
			if values := g.values(i); (g.started[i] || o.rule.eager) && values != nil {
				d.State[n] = values
			}
			saved.Params = append(saved.Params, n)
			n++
		}
		d.Groups = append(d.Groups, saved)
	}
	return d
}

// values is the state of parameter i.
func (g *group) values(i int) (values []lighter.NamedValue) {
	switch {
	case g.step != nil && g.rule.whole:
		values = append(values, lighter.NamedValue{Name: "step", Value: g.step[i].Int()})
	case g.step != nil:
		values = append(values, lighter.NamedValue{Name: "step", Value: g.step[i]})
	}
	for _, c := range g.state {
		if c.values[i].Defined() {
			values = append(values, lighter.NamedValue{Name: c.name, Value: c.values[i]})
		}
	}
	return values
}

// LoadStateDict implements lighter.Optimizer. As in PyTorch the options of the state dict replace those configured.
func (o *optimizer) LoadStateDict(d lighter.OptimizerState) (err error) {
	defer tensor.Recover(&err)
	if len(d.Groups) != len(o.groups) {
		return errors.New("loaded state dict has a different number of parameter groups")
	}
	for i, saved := range d.Groups {
		if len(saved.Params) != len(o.groups[i].Params) {
			return errors.New("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
		}
	}
	for i, saved := range d.Groups {
		g := o.groups[i]
		if err := o.adopt(g.ParamGroup, saved.Options); err != nil {
			return fmt.Errorf("parameter group %d: %w", i, err)
		}
		o.prepare(g)
		g.align()
		g.pending = len(g.Params)
		for k, n := range saved.Params {
			values, ok := d.State[n]
			g.started[k] = ok
			if ok {
				g.pending--
			}
			if err := g.load(k, values); err != nil {
				return fmt.Errorf("state of parameter %d: %w", n, err)
			}
		}
	}
	return nil
}

// adopt takes over saved options; names and options that the file does not know stay.
func (o *optimizer) adopt(g *lighter.ParamGroup, saved []lighter.Option) error {
	old := *g
	g.Options = nil
	for _, opt := range saved {
		v, err := o.convert(opt)
		if err != nil && o.knows(opt.Name) {
			*g = old
			return err
		}
		if err != nil {
			v = opt.Value // what a scheduler has added
		}
		g.SetOption(opt.Name, v)
	}
	for _, opt := range old.Options {
		if !has(saved, opt.Name) {
			g.SetOption(opt.Name, opt.Value)
		}
	}
	return nil
}

func has(options []lighter.Option, name string) bool {
	for _, o := range options {
		if o.Name == name {
			return true
		}
	}
	return false
}

func (o *optimizer) knows(name string) bool { return has(o.options, name) }

// load fills the state of parameter i; without values it becomes what it was before the first step.
func (g *group) load(i int, values []lighter.NamedValue) error {
	find := func(name string) any {
		for _, v := range values {
			if v.Name == name {
				return v.Value
			}
		}
		return nil
	}
	if g.step != nil {
		n := 0.0
		switch v := find("step").(type) {
		case tensor.Tensor:
			n = v.Item()
		case nil:
		default:
			n, _ = number(v)
		}
		g.step[i].Fill(n)
	}
	for _, c := range g.state {
		if !c.values[i].Defined() {
			continue
		}
		v, ok := find(c.name).(tensor.Tensor)
		switch {
		case !ok:
			c.values[i].Fill(0)
		case !v.SameShape(c.values[i].Shape()):
			return fmt.Errorf("%s has shape %v in the checkpoint, %v here", c.name, v.Shape(), c.values[i].Shape())
		default:
			c.values[i].CopyInPlace(v)
		}
	}
	return nil
}
