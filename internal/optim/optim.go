// Package optim holds optimizers under PyTorch's names, with PyTorch's arguments, parameter groups, arithmetic and state
// dicts.
//
// A group steps in one call of libtorch or of the tensor layer. Where libtorch has a fused operation that is the default, as
// with `fused: true`; with `fused: false`, or `foreach` given, the step follows PyTorch's own order of operations: foreach
// operations on the CPU are its single-tensor loop, bit for bit.
package optim

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// register makes an optimizer known as torch.optim.<class> and torch.optim.<file>.<class>.
func register(file, class string, prototype registry.Builder[lighter.Optimizer]) {
	lighter.Register("torch.optim."+class, prototype, "torch.optim."+file+"."+class)
}

// rule is what an algorithm adds to what all optimizers share.
type rule struct {
	step tensor.Rule
	// options are the names of those that the step takes, in its order; a flag is 0 or 1, null is NaN, a list its numbers.
	options []string
	// more are numbers that it takes after those; nil for none.
	more func(g *lighter.ParamGroup) []float64
	// columns are the tensors that a parameter of the group needs, in PyTorch's order, without the counter.
	columns func(g *lighter.ParamGroup) []spec
	// counts says that the state begins with "step", the number of a parameter's steps; whole that this is an int.
	counts, whole bool
	// eager says that PyTorch has state of a parameter from the beginning on, not from its first gradient.
	eager bool
	// fused steps a bucket in one operation of libtorch; newly are the parameters whose first gradient this is. nil where there
	// is none, and byDefault where it takes the place of the other way unless that is asked for.
	fused     func(b *bucket, newly []int)
	byDefault bool
}

// spec says what a column of the state is.
type spec struct {
	name string
	// shape of a parameter's tensor; not ok where the parameter has none. nil is the parameter's own, laid out alike.
	shape func(p tensor.Tensor) (shape []int64, ok bool)
	// scalar marks a float32 number on the CPU.
	scalar bool
	// begin is what a parameter's first gradient finds; nil is 0.
	begin func(g *lighter.ParamGroup) float64
}

func like(names ...string) []spec {
	specs := make([]spec, len(names))
	for i, n := range names {
		specs[i] = spec{name: n}
	}
	return specs
}

func always(specs []spec) func(*lighter.ParamGroup) []spec {
	return func(*lighter.ParamGroup) []spec { return specs }
}

// optimizer is the part all algorithms share.
type optimizer struct {
	name    string
	rule    *rule
	options []lighter.Option // defaults of a group
	groups  []*group
	public  []*lighter.ParamGroup
	all     tensor.List
	built   bool
	kept    []tensor.Tensor // state made after the build, freed by Close
}

// group is a parameter group with the state of its parameters.
type group struct {
	*lighter.ParamGroup
	rule    *rule
	fused   bool
	state   []column
	step    []tensor.Tensor // float32 scalars, on the parameters' device for a fused operation and else on the CPU; nil without
	started []bool          // which parameters have ever been stepped: PyTorch has no state for the others
	pending int             // how many have not
	aligned bool            // the state lies where the parameters do
	buckets []*bucket
}

// column is one kind of state: a tensor for each parameter, undefined where a parameter has none.
type column struct {
	spec
	values []tensor.Tensor
}

// bucket is the parameters of a group that one operation can take: those of one element type.
type bucket struct {
	g      *group
	index  []int
	params tensor.List
	state  []tensor.List
	step   tensor.List
}

// build makes the optimizer of a rule. options are the groups' defaults, in PyTorch's order; check validates a group's.
func build(env *lighter.Env, name string, r *rule, p lighter.Params, options []lighter.Option, check func(*lighter.ParamGroup) error) (_ lighter.Optimizer, err error) {
	defer tensor.Recover(&err)
	o := &optimizer{name: name, rule: r}
	if err := o.addGroups(env, p, options, check); err != nil {
		return nil, err
	}
	for _, g := range o.public {
		o.groups = append(o.groups, &group{ParamGroup: g, rule: r, started: make([]bool, len(g.Params)), pending: len(g.Params)})
	}
	for _, g := range o.groups {
		o.prepare(g)
		if r.eager {
			for i := range g.Params {
				g.begin(i)
			}
		}
	}
	o.built = true
	return o, nil
}

// addGroups takes the parameter groups as they were given.
func (o *optimizer) addGroups(env *lighter.Env, p lighter.Params, options []lighter.Option, check func(*lighter.ParamGroup) error) error {
	o.options = options
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
			return lighter.FieldError("params", "%v", err)
		}
		o.public = append(o.public, g)
		all = append(all, g.Params...)
	}
	if len(o.public) == 0 {
		return lighter.FieldError("params", "optimizer got an empty parameter list")
	}
	o.all = tensor.NewList(all)
	return nil
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
	s := tensor.Open()
	defer s.Close()
	for _, g := range o.groups {
		if len(o.rule.columns(g.ParamGroup)) > len(g.state) {
			o.prepare(g)
		}
		if !g.aligned {
			if g.fused && g.reduced() {
				o.prepare(g)
			}
			g.align()
		}
		for i := 0; i < len(g.buckets); i++ {
			newly := g.buckets[i].newly()
			if g.fused && g.sparse(newly) { // a fused operation takes dense gradients only
				g.fused = false
				g.align()
			}
			g.buckets[i].take(newly)
		}
	}
}

// sparse says whether a parameter's gradient is.
func (g *group) sparse(index []int) bool {
	s := tensor.Open()
	defer s.Close()
	for _, i := range index {
		if g.Params[i].Grad().IsSparse() {
			return true
		}
	}
	return false
}

// take steps a bucket.
func (b *bucket) take(newly []int) {
	r, g := b.g.rule, b.g
	if g.fused {
		r.fused(b, newly)
		return
	}
	var first []bool
	if newly != nil {
		first = make([]bool, len(b.index))
		for k, i := range b.index {
			first[k] = contains(pick(g.Params, newly), g.Params[i])
		}
	}
	values := numbersOf(g.ParamGroup, r.options)
	if r.more != nil {
		values = append(values, r.more(g.ParamGroup)...)
	}
	b.params.OptimizerStep(r.step, b.state, b.step, first, values)
}
