package lightertest

import (
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/tensor"
)

// Rand is where a transform draws, from a seed.
func Rand(seed uint64) lighter.Rand { return draw.Stream(seed, 0) }

// descend does a step with the case's gradients, those of the sum of the parameters' squares when it has none.
func (b *bench) descend(o lighter.Optimizer) {
	o.ZeroGrad()
	for _, p := range params(o) {
		if b.c.Loss != nil {
			b.c.Loss(p).Backward()
		} else {
			p.Mul(p).Sum(p.DType()).Backward()
		}
	}
	o.Step()
}

// optimizer: one takes over the state of another, and then both do the same steps.
func optimizer(b *bench) {
	first, ok := buildAs[lighter.Optimizer](b)
	if !ok {
		return
	}
	if first.Name() == "" {
		b.Error("Name is empty")
	}
	second := b.build(nil).(lighter.Optimizer)
	if _, closure := first.(lighter.ClosureOptimizer); closure {
		return // its steps depend on the loss
	}
	before := values(first)
	first.Step() // without gradients
	if !slices.EqualFunc(values(first), before, slices.Equal) {
		b.Error("a step without gradients changes parameters")
	}
	for range 3 {
		b.descend(first)
	}
	if slices.EqualFunc(values(first), before, slices.Equal) {
		b.Error("three steps with gradients change nothing")
	}
	to := params(second)
	for i, p := range params(first) {
		tensor.NoGrad(func() { to[i].CopyInPlace(p) })
	}
	if err := second.LoadStateDict(first.StateDict()); err != nil {
		b.Fatalf("LoadStateDict of another's StateDict: %v", err)
	}
	for range 2 {
		b.descend(first)
		b.descend(second)
	}
	if x, y := values(first), values(second); !slices.EqualFunc(x, y, slices.Equal) {
		b.Errorf("with the state taken over the parameters become %v, not %v", y, x)
	}
}

func params(o lighter.Optimizer) []tensor.Tensor {
	var all []tensor.Tensor
	for _, g := range o.Groups() {
		all = append(all, g.Params...)
	}
	return all
}

func values(o lighter.Optimizer) [][]float64 {
	var all [][]float64
	for _, p := range params(o) {
		all = append(all, tensor.Values[float64](p))
	}
	return all
}

// scheduler: one that takes over the state of another goes on as it does.
func scheduler(b *bench) {
	first, ok := buildAs[lighter.Scheduler](b)
	if !ok {
		return
	}
	_ = first
	args := b.args()
	one, isOurs := args["optimizer"].(*still)
	if !isOurs {
		return // the case's own
	}
	whole := b.build(args).(lighter.Scheduler)
	step := func(s lighter.Scheduler) { s.Step(1) }
	for range 3 {
		step(whole)
	}
	args = b.args()
	two := args["optimizer"].(*still)
	other := b.build(args).(lighter.Scheduler)
	if err := two.LoadStateDict(one.StateDict()); err != nil {
		b.Fatal(err)
	}
	if err := other.LoadStateDict(whole.StateDict()); err != nil {
		b.Fatalf("LoadStateDict of another's StateDict: %v", err)
	}
	for i := range 3 {
		step(whole)
		step(other)
		if x, y := one.Groups()[0].LR(), two.Groups()[0].LR(); x != y {
			b.Errorf("with the state taken over step %d gives the learning rate %v, not %v", i+4, y, x)
		}
	}
}

// still is an optimizer for schedulers: it has learning rates and moves nothing.
type still struct{ group *lighter.ParamGroup }

func (o *still) Name() string { return "Still" }
func (o *still) Step()        {}
func (o *still) ZeroGrad()    {}

func (o *still) Groups() []*lighter.ParamGroup {
	if o.group == nil {
		o.group = &lighter.ParamGroup{Options: []lighter.Option{{Name: "lr", Value: 0.1}, {Name: "momentum", Value: 0.9}}}
	}
	return []*lighter.ParamGroup{o.group}
}

func (o *still) Params() tensor.List { return tensor.List{} }

func (o *still) StateDict() lighter.OptimizerState {
	return lighter.OptimizerState{Groups: []lighter.GroupState{{Options: slices.Clone(o.Groups()[0].Options)}}}
}

func (o *still) LoadStateDict(s lighter.OptimizerState) error {
	o.Groups()[0].Options = slices.Clone(s.Groups[0].Options)
	return nil
}
