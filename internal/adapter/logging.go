package adapter

import "github.com/lighter-go/lighter"

// LoggingAdapter changes what a step gives to callbacks and writers.
type LoggingAdapter struct{ loggingArguments }

// loggingArguments are the arguments of lighter.adapters.LoggingAdapter.
type loggingArguments struct {
	InputTransforms  Transforms `cfg:"input_transforms" help:"change the input that callbacks are given"`
	TargetTransforms Transforms `cfg:"target_transforms" help:"change the target that callbacks are given"`
	PredTransforms   Transforms `cfg:"pred_transforms" help:"change the prediction that callbacks are given"`
}

func init() {
	lighter.Register[*LoggingAdapter]("lighter.adapters.LoggingAdapter", loggingArguments{})
}

// Doc is the component's prose.
func (loggingArguments) Doc() string {
	return "Says how a `lighter.System` changes input, target and prediction before it gives them to callbacks, as writers."
}

// Build makes the adapter.
func (a loggingArguments) Build(*lighter.Env) (*LoggingAdapter, error) {
	return &LoggingAdapter{a}, nil
}

// Apply changes the three values.
func (l *LoggingAdapter) Apply(input, target, pred lighter.Value) (i, t, p lighter.Value, err error) {
	if i, err = l.InputTransforms.apply(input); err != nil {
		return nil, nil, nil, err
	}
	if t, err = l.TargetTransforms.apply(target); err != nil {
		return nil, nil, nil, err
	}
	p, err = l.PredTransforms.apply(pred)
	return i, t, p, err
}
