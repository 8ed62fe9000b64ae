package project

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

var metricNames = []string{"update", "compute", "reset", "forward"}

// metricAttr gives what a torchmetrics.Metric has: metric(pred, target) gathers a batch and gives its value.
func metricAttr(m lighter.Metric, name string) (any, bool) {
	update := func(args []any, kwargs map[string]any) error {
		in := [2]lighter.Value{}
		for i, names := range [][]string{{"preds", "pred", "value"}, {"target"}} {
			if i < len(args) {
				in[i] = lighter.Plain(args[i])
			}
			for _, n := range names {
				if v, ok := kwargs[n]; ok {
					in[i] = lighter.Plain(v)
					delete(kwargs, n)
				}
			}
		}
		for n := range kwargs {
			return fmt.Errorf("%s.update() got an unexpected keyword argument '%s'", m.Name(), n)
		}
		if len(args) > len(in) {
			return fmt.Errorf("%s.update() takes (preds, target), got %d arguments", m.Name(), len(args))
		}
		defer tensor.SetGradEnabled(false)()
		m.Update(in[0], in[1])
		return nil
	}
	switch name {
	case "__call__", "forward":
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			if err := update(args, kwargs); err != nil {
				return nil, err
			}
			return &batchValue{metric: m}, nil
		}), true
	case "update":
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) { return nil, update(args, kwargs) }), true
	case "compute":
		return expr.Func(func([]any, map[string]any) (any, error) {
			defer tensor.SetGradEnabled(false)()
			return m.Compute(), nil
		}), true
	case "reset":
		return expr.Func(func([]any, map[string]any) (any, error) { m.Reset(); return nil, nil }), true
	}
	return nil, false
}

// batchValue is what a metric gives of one batch, computed when it is asked for: most steps only log it.
type batchValue struct {
	metric lighter.Metric
	value  lighter.Value
}

func (b *batchValue) get() lighter.Value {
	if b.value == nil {
		defer tensor.SetGradEnabled(false)()
		b.value = b.metric.Batch()
	}
	return b.value
}

// TypeName is what it stands for.
func (b *batchValue) TypeName() string { return lighter.TypeName(b.get()) }

// Tensor is the value of a metric that gives one.
func (b *batchValue) Tensor() tensor.Tensor {
	t, ok := b.get().(tensor.Tensor)
	if !ok {
		tensor.Fail(b.metric.Name(), "it gives a dict of values, and a Tensor is wanted here")
	}
	return t
}
