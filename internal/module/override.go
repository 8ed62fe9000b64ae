package module

import (
	"fmt"

	"github.com/lighter-go/lighter"
)

// Overrides are the methods of LighterModule that user code has written anew; the default does what a nil one would.
type Overrides struct {
	// Step is training_step, validation_step, test_step and predict_step. What they give is a loss, or a mapping with "loss"; that of
	// predict goes to the writers.
	Step [4]func(t lighter.Trainer, batch lighter.Value, idx int) (lighter.Value, error)
	// BatchEnd is on_train_batch_end and its like, which log. Like all below it panics with a *tensor.Error.
	BatchEnd [4]func(t lighter.Trainer, out lighter.Output, batch lighter.Value, idx int)
	// LogOutputs is _log_outputs(outputs, batch_idx), LogLoss _log_loss(loss), LogMetrics _log_metrics().
	LogOutputs func(t lighter.Trainer, out lighter.Output, idx int)
	LogLoss    func(t lighter.Trainer, loss lighter.Value)
	LogMetrics func(t lighter.Trainer)
	Forward    func(in []lighter.Value) lighter.Value
	// Hooks are Lightning's by name, configure_optimizers among them; those of steps and of batches' ends are the fields above.
	Hooks map[string]lighter.HookFunc
}

// output makes a step's output of what an own step has returned.
func output(mode lighter.Mode, v lighter.Value) (lighter.Output, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case lighter.Dict:
		return v, nil
	default:
		if mode == lighter.Predict {
			return lighter.Output{"pred": v}, nil
		}
		if lighter.TypeName(v) == "Tensor" {
			return lighter.Output{"loss": v}, nil
		}
		return nil, fmt.Errorf("Step method must return torch.Tensor or dict. Got %s instead. Examples:\n  return loss\n  return {\"loss\": loss, \"pred\": pred, \"target\": target}", lighter.TypeName(v)) //nolint:staticcheck // Lighter's wording
	}
}

// Hook gives user code's hook of a name.
func (m *Module) Hook(name string) lighter.HookFunc { return m.Hooks[name] }
