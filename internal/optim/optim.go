// Package optim holds optimizers under PyTorch's names, with PyTorch's arguments, parameter groups, arithmetic and state
// dicts.
//
// A group steps in one of two ways. By default, as with `fused: true`, it is one fused operation of libtorch. With `fused:
// false`, or `foreach` given, it follows PyTorch's own order of operations: foreach operations on the CPU are its
// single-tensor loop, bit for bit.
package optim

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// register makes an optimizer known as torch.optim.<class> and torch.optim.<file>.<class>.
func register(file, class string, prototype registry.Builder[lighter.Optimizer]) {
	lighter.Register("torch.optim."+class, prototype, "torch.optim."+file+"."+class)
}

// rule is what an algorithm adds to what all optimizers share.
type rule interface {
	// columns names the tensors a parameter of the group needs, by PyTorch's names and in its order, without the counter.
	columns(g *lighter.ParamGroup) []string
	// counts says whether the state begins with "step", the number of a parameter's steps.
	counts() bool
	// fused steps the parameters of a bucket in one operation.
	fused(b *bucket)
	// plain steps parameters that have a gradient in PyTorch's order of operations, without recording for autograd.
	plain(g *lighter.ParamGroup, w *work)
}

// optimizer is the part all algorithms share.
type optimizer struct {
	name    string
	rule    rule
	options []lighter.Option // defaults of a group
	groups  []*group
	public  []*lighter.ParamGroup
	all     tensor.List
	kept    []tensor.Tensor // state made after the build, freed by Close
}

// group is a parameter group with the state of its parameters.
type group struct {
	*lighter.ParamGroup
	fused   bool
	state   []column
	step    []tensor.Tensor // float32 scalars, counted by the fused operation; nil without it
	steps   []float64       // the same, counted here
	started []bool          // which parameters have ever been stepped: PyTorch has no state for the others
	pending int             // how many have not
	aligned bool            // the state lies where the parameters do
	buckets []*bucket
}

// column is one kind of state: a tensor for each parameter.
type column struct {
	name   string
	values []tensor.Tensor
}

// bucket is the parameters of a group that one fused operation can take: those of one element type.
type bucket struct {
	g      *group
	index  []int
	params tensor.List
	state  []tensor.List
	step   tensor.List
}

// work is what a plain step works on: the parameters that have a gradient, those gradients, their state by column and
// their number of steps, this one included.
type work struct {
	params, grads []tensor.Tensor
	state         [][]tensor.Tensor
	steps         []float64
	first         []bool // this is a parameter's first step
}

// build makes the optimizer of a rule. options are the groups' defaults, in PyTorch's order; check validates a group's.
func build(env *lighter.Env, name string, r rule, p lighter.Params, options []lighter.Option, check func(*lighter.ParamGroup) error) (_ lighter.Optimizer, err error) {
	defer tensor.Recover(&err)
	o := &optimizer{name: name, rule: r, options: options}
	var all []tensor.Tensor
	for i, given := range p.Groups {
		g, err := o.newGroup(env, given, all)
		if err == nil {
			err = check(g)
		}
		if err == nil && i > 0 && (given.Names == nil) != (p.Groups[0].Names == nil) {
			err = fmt.Errorf("all optimizer param groups should be with/without names. cannot add param group %s to the optimizer", named(given))
		}
		if err != nil && len(p.Groups) > 1 {
			err = fmt.Errorf("parameter group %d: %w", i, err)
		}
		if err != nil {
			return nil, lighter.FieldError("params", "%v", err)
		}
		o.public = append(o.public, g)
		o.groups = append(o.groups, &group{ParamGroup: g, started: make([]bool, len(g.Params)), pending: len(g.Params)})
		all = append(all, g.Params...)
	}
	if len(o.groups) == 0 {
		return nil, lighter.FieldError("params", "optimizer got an empty parameter list")
	}
	o.all = tensor.NewList(all)
	for _, g := range o.groups {
		o.prepare(g)
	}
	return o, nil
}

func named(g lighter.ParamsGroup) string {
	if g.Names == nil {
		return "without names"
	}
	return "with names"
}

// newGroup fills in the defaults as PyTorch's add_param_group does: options given come first. earlier are the parameters
// of the groups before.
func (o *optimizer) newGroup(env *lighter.Env, given lighter.ParamsGroup, earlier []tensor.Tensor) (*lighter.ParamGroup, error) {
	g := &lighter.ParamGroup{Params: given.Params}
	for i, p := range given.Params {
		if !p.IsLeaf() {
			return nil, fmt.Errorf("can't optimize a non-leaf Tensor")
		}
		if contains(earlier, p) {
			return nil, fmt.Errorf("some parameters appear in more than one parameter group")
		}
		if contains(given.Params[:i], p) {
			env.Log.Warn().Msg("optimizer contains a parameter group with duplicate parameters; in future, this will cause an error")
		}
	}
	for _, opt := range given.Options {
		v, err := o.convert(opt)
		if err != nil {
			return nil, err
		}
		g.SetOption(opt.Name, v)
	}
	if given.Names != nil {
		names := make([]any, len(given.Names))
		for i, n := range given.Names {
			names[i] = n
		}
		g.SetOption("param_names", names)
	}
	for _, d := range o.options {
		if g.Option(d.Name) == nil {
			g.SetOption(d.Name, d.Value)
		}
	}
	return g, nil
}

func contains(ts []tensor.Tensor, t tensor.Tensor) bool {
	for _, o := range ts {
		if o.Same(t) {
			return true
		}
	}
	return false
}

// convert checks an option that a group gives against the type of its default.
func (o *optimizer) convert(opt lighter.Option) (any, error) {
	var names []string
	for _, d := range o.options {
		names = append(names, d.Name)
		if d.Name != opt.Name {
			continue
		}
		switch d.Value.(type) {
		case float64:
			if f, ok := number(opt.Value); ok {
				return f, nil
			}
			return nil, fmt.Errorf("%s must be a float, got %v", opt.Name, opt.Value)
		case []float64:
			if fs, ok := numbers(opt.Value); ok {
				return fs, nil
			}
			return nil, fmt.Errorf("%s must be a list of floats, got %v", opt.Name, opt.Value)
		}
		if b, ok := opt.Value.(bool); ok || opt.Value == nil && d.Value == nil {
			if !ok {
				return nil, nil
			}
			return b, nil
		}
		return nil, fmt.Errorf("%s must be a bool, got %v", opt.Name, opt.Value)
	}
	if opt.Name == "name" || opt.Name == "initial_lr" { // what monitors and schedulers read
		return opt.Value, nil
	}
	return nil, fmt.Errorf("unknown option %q: a group of %s takes %s", opt.Name, o.name, strings.Join(names, ", "))
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	}
	return 0, false
}

func numbers(v any) ([]float64, bool) {
	switch items := v.(type) {
	case []float64:
		return items, true
	case []any:
		out := make([]float64, len(items))
		for i, item := range items {
			f, ok := number(item)
			if !ok {
				return nil, false
			}
			out[i] = f
		}
		return out, true
	}
	return nil, false
}

// option is a number of a group; float64 options may be ints in a file.
func option(g *lighter.ParamGroup, name string) float64 {
	f, _ := number(g.Option(name))
	return f
}

func flag(g *lighter.ParamGroup, name string) bool {
	b, _ := g.Option(name).(bool)
	return b
}

// fusedByDefault says whether this libtorch has the fused operations on the CPU, which came with 2.4.
func fusedByDefault() bool {
	var major, minor int
	_, err := fmt.Sscanf(tensor.Version(), "%d.%d", &major, &minor)
	return err == nil && (major > 2 || major == 2 && minor >= 4)
}

// Name implements lighter.Optimizer.
func (o *optimizer) Name() string { return o.name }

// Groups implements lighter.Optimizer.
func (o *optimizer) Groups() []*lighter.ParamGroup { return o.public }

// Params implements lighter.Optimizer.
func (o *optimizer) Params() tensor.List { return o.all }

// ZeroGrad implements lighter.Optimizer.
func (o *optimizer) ZeroGrad() { o.all.ZeroGrad(true) }

// Close frees the lists of tensors.
func (o *optimizer) Close() error {
	for _, g := range o.groups {
		g.free()
	}
	o.all.Free()
	o.all = tensor.List{}
	for _, t := range o.kept {
		t.Free()
	}
	o.kept = nil
	return nil
}

// Step implements lighter.Optimizer.
func (o *optimizer) Step() {
	for _, g := range o.groups {
		if len(o.rule.columns(g.ParamGroup)) > len(g.state) {
			o.grow(g)
		}
		if !g.aligned {
			if g.fused && g.reduced() {
				o.prepare(g)
			}
			g.align()
		}
		if !g.fused {
			o.plain(g)
			continue
		}
		for _, b := range g.buckets {
			o.rule.fused(b)
		}
	}
}

func (o *optimizer) plain(g *group) {
	s := tensor.Open()
	defer s.Close()
	defer tensor.SetGradEnabled(false)()
	w := &work{state: make([][]tensor.Tensor, len(g.state))}
	for i, p := range g.Params {
		grad := p.Grad()
		if !grad.Defined() {
			continue
		}
		w.params, w.grads, w.first = append(w.params, p), append(w.grads, grad), append(w.first, !g.started[i])
		for c := range g.state {
			w.state[c] = append(w.state[c], g.state[c].values[i])
		}
		if g.steps != nil {
			g.steps[i]++
			w.steps = append(w.steps, g.steps[i])
		}
		g.start(i)
	}
	if len(w.params) > 0 {
		o.rule.plain(g.ParamGroup, w)
	}
}

func (g *group) start(i int) {
	if !g.started[i] {
		g.started[i] = true
		g.pending--
	}
}
