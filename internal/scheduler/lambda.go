package scheduler

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

func init() {
	register("LambdaLR", LambdaLR{LastEpoch: -1})
	register("MultiplicativeLR", MultiplicativeLR{LastEpoch: -1})
}

// LambdaLR is torch.optim.lr_scheduler.LambdaLR: the initial learning rate times a function of the step.
type LambdaLR struct {
	Optimizer lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	LRLambda  Functions         `cfg:"lr_lambda,required" help:"gives the factor for a step: a function, or a list with one a group"`
	LastEpoch int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Build implements the registry's Builder.
func (c LambdaLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	if err := given(c.Optimizer); err != nil {
		return nil, err
	}
	f, err := c.LRLambda.of(c.Optimizer)
	if err != nil {
		return nil, err
	}
	return built(build("LambdaLR", c.Optimizer, c.LastEpoch, &lambdaLR{f, false}))
}

// MultiplicativeLR is torch.optim.lr_scheduler.MultiplicativeLR: the learning rate times a function of the step, at every step.
type MultiplicativeLR struct {
	Optimizer lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	LRLambda  Functions         `cfg:"lr_lambda,required" help:"gives the factor for a step: a function, or a list with one a group"`
	LastEpoch int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Build implements the registry's Builder.
func (c MultiplicativeLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	if err := given(c.Optimizer); err != nil {
		return nil, err
	}
	f, err := c.LRLambda.of(c.Optimizer)
	if err != nil {
		return nil, err
	}
	return built(build("MultiplicativeLR", c.Optimizer, c.LastEpoch, &lambdaLR{f, true}))
}

type lambdaLR struct {
	functions functions
	chained   bool // on the learning rate as it is, not the initial one
}

func (r *lambdaLR) attributes() []attribute { return []attribute{{"lr_lambdas", r.functions}} }

func (r *lambdaLR) rates(s *scheduler) ([]float64, error) {
	lrs, err := s.current()
	if r.chained && s.initial {
		return lrs, err
	}
	for i, f := range r.functions {
		factor, err := call(f, s.lastEpoch)
		if err != nil {
			return nil, lighter.FieldError("lr_lambda", "%v", err)
		}
		if !r.chained {
			lrs[i] = s.baseLRs[i]
		}
		lrs[i] *= factor
	}
	return lrs, nil
}

// functions have no state: PyTorch's state dict has null for each.
type functions []registry.Func

func (f functions) save() lighter.Value { return make(lighter.List, len(f)) }

func (f functions) load(v lighter.Value) error {
	_, err := items(len(f), func(v lighter.Value) (lighter.Value, error) { return v, nil })(v)
	return err
}
