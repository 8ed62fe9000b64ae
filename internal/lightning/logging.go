package lightning

import (
	"fmt"
	"strings"
)

// levels are where a hook may log, and where it does by default.
type levels struct {
	steps           bool // on_step may be True, and on_epoch False
	onStep, onEpoch bool
}

var (
	stepLevels  = &levels{steps: true, onStep: true}
	evalLevels  = &levels{steps: true, onEpoch: true}
	epochLevels = &levels{onEpoch: true}
)

// logging says which hooks may log: Lightning's _FxValidator. A hook that is not here may not.
var logging = map[string]*levels{
	"training_step": stepLevels, "validation_step": evalLevels, "test_step": evalLevels,
	"on_before_backward": stepLevels, "backward": stepLevels, "on_after_backward": stepLevels,
	"on_before_optimizer_step": stepLevels, "optimizer_step": stepLevels, "configure_gradient_clipping": stepLevels, "clip_gradients": stepLevels,
	"on_before_zero_grad": stepLevels, "optimizer_zero_grad": stepLevels,
	"on_train_batch_start": stepLevels, "on_train_batch_end": stepLevels,
	"on_validation_batch_start": evalLevels, "on_validation_batch_end": evalLevels,
	"on_test_batch_start": evalLevels, "on_test_batch_end": evalLevels,
	"on_train_start": epochLevels, "on_validation_start": epochLevels, "on_test_start": epochLevels,
	"on_train_epoch_start": epochLevels, "on_train_epoch_end": epochLevels,
	"on_validation_epoch_start": epochLevels, "on_validation_epoch_end": epochLevels,
	"on_test_epoch_start": epochLevels, "on_test_epoch_end": epochLevels,
}

// Levels says whether a value that a hook logs is one of steps, of epochs or both. nil stands for the hook's default. The errors
// are Lightning's.
func Levels(hook string, step, epoch *bool) (onStep, onEpoch bool, err error) {
	l := logging[hook]
	if l == nil {
		return false, false, Wording("You can't `self.log()` inside `%s`. HINT: You can still log directly to the logger by using `self.logger.experiment`.", hook)
	}
	onStep, onEpoch = l.onStep, l.onEpoch
	if step != nil {
		onStep = *step
	}
	if epoch != nil {
		onEpoch = *epoch
	}
	switch {
	case !l.steps && onStep:
		return false, false, Wording("You can't `self.log(on_step=True)` inside `%s`, must be one of (False,).", hook)
	case !l.steps && !onEpoch:
		return false, false, Wording("You can't `self.log(on_epoch=False)` inside `%s`, must be one of (True,).", hook)
	case !onStep && !onEpoch:
		return false, false, Wording("`self.log(on_step=False, on_epoch=False)` is not useful.")
	}
	return onStep, onEpoch, nil
}

// Reduction reads reduce_fx.
func Reduction(name string) (string, error) {
	switch r := strings.ToLower(name); r {
	case "", "avg", "mean":
		return "mean", nil
	case "min", "max", "sum":
		return r, nil
	}
	return "", Wording("Only `self.log(..., reduce_fx={min,max,mean,sum})` are supported. If you need a custom reduction, please log a `torchmetrics.Metric` instance instead. Found: %s", name)
}

// Wording is an error in Lightning's own words, capital letters, full stops and all.
func Wording(format string, args ...any) error { return fmt.Errorf(format, args...) }
