package optim

import (
	"cmp"
	"errors"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("lbfgs", "LBFGS", LBFGS{LR: 1, MaxIter: 20, ToleranceGrad: 1e-7, ToleranceChange: 1e-9, HistorySize: 100})
}

// LBFGS is torch.optim.LBFGS: a quasi-Newton method that evaluates its batch several times in a step.
type LBFGS struct {
	Params          lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize, in one group"`
	LR              float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	MaxIter         int64          `cfg:"max_iter" help:"largest number of iterations a step"`
	MaxEval         *int64         `cfg:"max_eval" help:"largest number of evaluations a step; null is max_iter times 1.25"`
	ToleranceGrad   float64        `cfg:"tolerance_grad" help:"gradients below this end a step"`
	ToleranceChange float64        `cfg:"tolerance_change" help:"changes of the loss or the parameters below this end a step"`
	HistorySize     int64          `cfg:"history_size" help:"how many updates to remember"`
	LineSearchFn    *string        `cfg:"line_search_fn" oneof:"strong_wolfe" help:"strong_wolfe or null"`
}

// Doc is the component's prose.
func (LBFGS) Doc() string {
	return "It evaluates the batch several times in a step: the forward pass, with what that draws and changes, and the metrics, as in PyTorch Lightning. " +
		"The loss that is logged is that of the last evaluation."
}

func (c LBFGS) options() []lighter.Option {
	evals := c.MaxIter * 5 / 4
	if c.MaxEval != nil {
		evals = *c.MaxEval
	}
	return []lighter.Option{
		{Name: "lr", Value: c.LR}, {Name: "max_iter", Value: c.MaxIter}, {Name: "max_eval", Value: evals},
		{Name: "tolerance_grad", Value: c.ToleranceGrad}, {Name: "tolerance_change", Value: c.ToleranceChange},
		{Name: "history_size", Value: c.HistorySize}, {Name: "line_search_fn", Value: word(c.LineSearchFn)},
	}
}

func checkLBFGS(g *lighter.ParamGroup) error {
	if lr := option(g, "lr"); !(lr >= 0) {
		return refuse("lr", "Invalid learning rate: %s", expr.Float(lr))
	}
	return nil
}

// Validate implements the registry's Validator.
func (c LBFGS) Validate() error {
	return cmp.Or(c.oneGroup(), validate(c.options(), checkLBFGS))
}

func (c LBFGS) oneGroup() error {
	if len(c.Params.Groups) > 1 {
		return lighter.FieldError("params", "LBFGS doesn't support per-parameter options (parameter groups)")
	}
	return nil
}

// Build implements the registry's Builder.
func (c LBFGS) Build(env *lighter.Env) (_ lighter.Optimizer, err error) {
	defer tensor.Recover(&err)
	if err := c.oneGroup(); err != nil {
		return nil, err
	}
	o := &lbfgs{optimizer: optimizer{name: "LBFGS", rule: &rule{}}}
	if err := o.addGroups(env, c.Params, c.options(), checkLBFGS); err != nil {
		return nil, err
	}
	return o, nil
}

// lbfgs is the optimizer. Vectors are as long as all parameters together. Those of memory are kept from step to step, what a
// step holds across evaluations until it ends: an evaluation frees what was made since the one before.
type lbfgs struct {
	optimizer
	memory
	held []tensor.Tensor
}

// memory is the state, by PyTorch's names. Its tensors are kept.
type memory struct {
	evals, iterations int64
	d, previous       tensor.Tensor // the last direction, and its gradient
	t                 float64       // the last step length
	directions, steps []tensor.Tensor
	ro, al            []float64
	diagonal          float64 // H_diag
	previousLoss      float64
	begun             bool // there is state at all
}

// Step implements lighter.Optimizer: without a way to evaluate there is none.
func (o *lbfgs) Step() {
	tensor.Fail("LBFGS", "step() missing 1 required positional argument: 'closure'")
}

// Close frees the state.
func (o *lbfgs) Close() error {
	o.memory.free()
	return o.optimizer.Close()
}

func (m *memory) free() {
	for _, t := range append(append([]tensor.Tensor{m.d, m.previous}, m.directions...), m.steps...) {
		t.Free()
	}
	*m = memory{}
}

// hold keeps a vector until the step ends.
func (o *lbfgs) hold(t tensor.Tensor) tensor.Tensor {
	k := t.Keep()
	o.held = append(o.held, k)
	return k
}

func (o *lbfgs) release() {
	for _, t := range o.held {
		t.Free()
	}
	o.held = nil
}

// replace keeps t in the place of what *slot kept.
func replace(slot *tensor.Tensor, t tensor.Tensor) {
	k := t.Keep()
	slot.Free()
	*slot = k
}

// gradient is all gradients in one vector, held.
func (o *lbfgs) gradient() tensor.Tensor {
	var views []tensor.Tensor
	for _, p := range o.public[0].Params {
		g := p.Grad()
		switch {
		case !g.Defined():
			g = p.Detach().ZerosLike()
		case g.IsSparse():
			g = tensor.CallOne("to_dense", g)
		}
		views = append(views, g.Reshape(-1))
	}
	return o.hold(tensor.Cat(views, 0))
}

// move adds t times a vector to the parameters.
func (o *lbfgs) move(t float64, by tensor.Tensor) {
	offset := int64(0)
	for _, p := range o.public[0].Params {
		n := p.Numel()
		p.AddInPlace(by.Narrow(0, offset, n).Reshape(p.Shape()...), t)
		offset += n
	}
}

func dot(a, b tensor.Tensor) float64 { return tensor.CallOne("dot", a, b).Item() }
func largestOf(a tensor.Tensor) float64 {
	return tensor.CallOne("max", tensor.CallOne("abs", a)).Item()
}

// rounded rounds a number as a tensor of the parameters' type would hold it.
func (o *lbfgs) rounded(v float64) float64 {
	if o.public[0].Params[0].DType() == tensor.Float32 {
		return float64(float32(v))
	}
	return v
}

// StepClosure implements lighter.ClosureOptimizer. It follows PyTorch's step line by line.
func (o *lbfgs) StepClosure(evaluate func() (float64, error)) (err error) {
	defer o.release()
	defer tensor.Recover(&err)
	defer tensor.SetGradEnabled(tensor.GradEnabled())()
	evaluation := func() (loss float64, gradient tensor.Tensor, err error) {
		restore := tensor.SetGradEnabled(true)
		loss, err = evaluate()
		restore()
		if err == nil {
			gradient = o.gradient()
		}
		return loss, gradient, err
	}
	tensor.SetGradEnabled(false)

	g := o.public[0]
	lr, tolerance, change := option(g, "lr"), option(g, "tolerance_grad"), option(g, "tolerance_change")
	maxIter, maxEval := int64(option(g, "max_iter")), int64(option(g, "max_eval"))
	search, _ := g.Option("line_search_fn").(string)

	loss, gradient, err := evaluation()
	if err != nil {
		return err
	}
	o.begun = true
	o.evals++
	evals := int64(1)
	if largestOf(gradient) <= tolerance {
		return nil
	}
	for n := int64(1); n <= maxIter; n++ {
		o.iterations++
		o.direct(gradient, int(option(g, "history_size")))
		replace(&o.previous, gradient.Clone())
		o.previousLoss = loss
		o.t = lr
		if o.iterations == 1 {
			o.t = o.rounded(min(1, o.rounded(1/tensor.CallOne("sum", tensor.CallOne("abs", gradient)).Item())) * lr)
		}
		slope := dot(gradient, o.d)
		if slope > -change {
			break
		}
		done, tried := false, int64(0)
		switch {
		case search != "":
			s := wolfe{o: o, evaluate: evaluation, change: change, most: maxEval - evals}
			if loss, gradient, o.t, err = s.search(o.t, loss, gradient, slope); err != nil {
				return err
			}
			tried = s.evals
			o.move(o.t, o.d)
			done = largestOf(gradient) <= tolerance
		default:
			o.move(o.t, o.d)
			if n == maxIter {
				break
			}
			if loss, gradient, err = evaluation(); err != nil {
				return err
			}
			tried, done = 1, largestOf(gradient) <= tolerance
		}
		evals += tried
		o.evals += tried
		if n == maxIter || evals >= maxEval || done || largestOf(o.d.MulScalar(o.t)) <= change || math.Abs(loss-o.previousLoss) < change {
			break
		}
	}
	return nil
}

// direct makes the next direction of descent from the gradient and the updates remembered.
func (o *lbfgs) direct(gradient tensor.Tensor, history int) {
	if o.iterations == 1 {
		replace(&o.d, tensor.CallOne("neg", gradient))
		o.diagonal = 1
		return
	}
	y, s := gradient.Sub(o.previous), o.d.MulScalar(o.t)
	if ys := dot(y, s); ys > 1e-10 {
		if len(o.directions) >= history && history > 0 {
			o.directions[0].Free()
			o.steps[0].Free()
			o.directions, o.steps, o.ro = o.directions[1:], o.steps[1:], o.ro[1:]
		}
		o.directions, o.steps, o.ro = append(o.directions, y.Keep()), append(o.steps, s.Keep()), append(o.ro, o.rounded(1/ys))
		o.diagonal = o.rounded(ys / dot(y, y))
	}
	o.al = make([]float64, len(o.directions))
	q := tensor.CallOne("neg", gradient)
	for i := len(o.directions) - 1; i >= 0; i-- {
		o.al[i] = o.rounded(dot(o.steps[i], q) * o.ro[i])
		q.AddInPlace(o.directions[i], -o.al[i])
	}
	d := q.MulScalar(o.diagonal)
	for i := range o.directions {
		be := o.rounded(dot(o.directions[i], d) * o.ro[i])
		d.AddInPlace(o.steps[i], o.rounded(o.al[i]-be))
	}
	replace(&o.d, d)
}

// StateDict implements lighter.Optimizer.
func (o *lbfgs) StateDict() lighter.OptimizerState {
	g := o.public[0]
	d := lighter.OptimizerState{State: map[int][]lighter.NamedValue{}}
	saved := lighter.GroupState{Options: append([]lighter.Option(nil), g.Options...)}
	for i := range g.Params {
		saved.Params = append(saved.Params, i)
	}
	d.Groups = []lighter.GroupState{saved}
	if !o.begun {
		return d
	}
	values := []lighter.NamedValue{{Name: "func_evals", Value: o.evals}, {Name: "n_iter", Value: o.iterations}}
	if o.d.Defined() {
		numbers := func(list []float64, n int) lighter.List {
			out := make(lighter.List, max(n, len(list)))
			for i, v := range list {
				out[i] = o.number(v)
			}
			return out
		}
		list := func(ts []tensor.Tensor) lighter.List {
			out := make(lighter.List, len(ts))
			for i, t := range ts {
				out[i] = t
			}
			return out
		}
		if o.al != nil {
			values = append(values, lighter.NamedValue{Name: "al", Value: numbers(o.al, int(option(g, "history_size")))})
		}
		values = append(values, []lighter.NamedValue{
			{Name: "d", Value: o.d}, {Name: "t", Value: o.t}, {Name: "old_dirs", Value: list(o.directions)},
			{Name: "old_stps", Value: list(o.steps)}, {Name: "ro", Value: numbers(o.ro, 0)}, {Name: "H_diag", Value: o.number(o.diagonal)},
			{Name: "prev_flat_grad", Value: o.previous}, {Name: "prev_loss", Value: o.previousLoss},
		}...)
	}
	d.State[0] = values
	return d
}

// number is a scalar of the parameters' type, as PyTorch keeps it.
func (o *lbfgs) number(v float64) tensor.Tensor {
	p := o.public[0].Params[0]
	return tensor.FromSlice([]float64{v}).To(p.Device(), p.DType())
}

// LoadStateDict implements lighter.Optimizer.
func (o *lbfgs) LoadStateDict(d lighter.OptimizerState) (err error) {
	defer tensor.Recover(&err)
	g := o.public[0]
	switch {
	case len(d.Groups) != 1:
		return errors.New("loaded state dict has a different number of parameter groups")
	case len(d.Groups[0].Params) != len(g.Params):
		return errors.New("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
	}
	if err := o.adopt(g, d.Groups[0].Options); err != nil {
		return err
	}
	o.memory.free()
	return o.recall(d.State[d.Groups[0].Params[0]])
}

// recall fills the state from what a state dict holds.
func (o *lbfgs) recall(values []lighter.NamedValue) error {
	n, p := int64(0), o.public[0].Params[0]
	for _, q := range o.public[0].Params {
		n += q.Numel()
	}
	wrong := errors.New("the state is not that of LBFGS for these parameters")
	sound := true
	vector := func(v any) tensor.Tensor {
		t, ok := v.(tensor.Tensor)
		if !ok || t.Numel() != n {
			sound = false
			return tensor.Tensor{}
		}
		return t.To(p.Device(), p.DType()).Clone().Keep()
	}
	scalar := func(v any) float64 {
		if t, ok := v.(tensor.Tensor); ok && t.Numel() == 1 {
			return t.Item()
		}
		f, ok := number(v)
		sound = sound && ok
		return f
	}
	each := func(v any, use func(any)) {
		items, ok := v.(lighter.List)
		sound = sound && ok
		for _, item := range items {
			use(item)
		}
	}
	for _, v := range values {
		o.begun = true
		switch v.Name {
		case "func_evals":
			o.evals = int64(scalar(v.Value))
		case "n_iter":
			o.iterations = int64(scalar(v.Value))
		case "d":
			o.d = vector(v.Value)
		case "prev_flat_grad":
			o.previous = vector(v.Value)
		case "t":
			o.t = scalar(v.Value)
		case "H_diag":
			o.diagonal = scalar(v.Value)
		case "prev_loss":
			o.previousLoss = scalar(v.Value)
		case "old_dirs":
			each(v.Value, func(item any) { o.directions = append(o.directions, vector(item)) })
		case "old_stps":
			each(v.Value, func(item any) { o.steps = append(o.steps, vector(item)) })
		case "al":
			each(v.Value, func(item any) {
				if item != nil { // the list is as long as the history may get
					o.al = append(o.al, scalar(item))
				}
			})
		case "ro":
			each(v.Value, func(item any) { o.ro = append(o.ro, scalar(item)) })
		}
	}
	if !sound || len(o.steps) != len(o.directions) || len(o.ro) != len(o.directions) || o.d.Defined() != o.previous.Defined() {
		o.memory.free()
		return wrong
	}
	return nil
}

var _ lighter.ClosureOptimizer = (*lbfgs)(nil)
