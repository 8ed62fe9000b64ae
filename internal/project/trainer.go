package project

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// attributes are those of a LightningModule that its trainer gives.
var attributes map[string]func(s *session, t lighter.LightningTrainer) (any, error)

// trainerMethods are the methods of a LightningModule that act on its trainer.
var trainerMethods map[string]func(s *session, t lighter.LightningTrainer, a arguments) (any, error)

func init() {
	attributes = map[string]func(s *session, t lighter.LightningTrainer) (any, error){
		"trainer":       func(s *session, t lighter.LightningTrainer) (any, error) { return &Trainer{s, t}, nil },
		"current_epoch": func(_ *session, t lighter.LightningTrainer) (any, error) { return int64(t.Epoch()), nil },
		"global_step":   func(_ *session, t lighter.LightningTrainer) (any, error) { return t.GlobalStep(), nil },
		"global_rank":   func(*session, lighter.LightningTrainer) (any, error) { return int64(0), nil },
		"local_rank":    func(*session, lighter.LightningTrainer) (any, error) { return int64(0), nil },
		"device":        func(_ *session, t lighter.LightningTrainer) (any, error) { return t.Device(), nil },
	}
	trainerMethods = map[string]func(s *session, t lighter.LightningTrainer, a arguments) (any, error){
		"log":             logValue,
		"log_dict":        logDict,
		"optimizers":      optimizers,
		"lr_schedulers":   schedulers,
		"manual_backward": manualBackward,
		"clip_gradients": func(s *session, _ lighter.LightningTrainer, a arguments) (any, error) {
			o, err := a.optimizer()
			if err != nil {
				return nil, err
			}
			return nil, clip(s, o, a.value(1, "gradient_clip_val", nil), a.value(2, "gradient_clip_algorithm", nil))
		},
		"toggle_optimizer": func(_ *session, t lighter.LightningTrainer, a arguments) (any, error) {
			return a.toggle(t.ToggleOptimizer)
		},
		"untoggle_optimizer": func(_ *session, t lighter.LightningTrainer, a arguments) (any, error) {
			return a.toggle(t.UntoggleOptimizer)
		},
		"all_gather": func(_ *session, _ lighter.LightningTrainer, a arguments) (any, error) {
			return a.value(0, "data", nil), nil
		},
	}
}

// optimizer is the argument of that name, an optimizer of self.optimizers().
func (a arguments) optimizer() (lighter.LightningOptimizer, error) {
	o, ok := a.value(0, "optimizer", nil).(lighter.LightningOptimizer)
	if !ok {
		return nil, fmt.Errorf("it takes an optimizer of self.optimizers(), got %s", lighter.TypeName(a.value(0, "optimizer", nil)))
	}
	return o, nil
}

func (a arguments) toggle(f func(lighter.LightningOptimizer)) (any, error) {
	o, err := a.optimizer()
	if err == nil {
		f(o)
	}
	return nil, err
}

// logArgs are the arguments of self.log and self.log_dict after the first n.
func (a arguments) logArgs(n int) (o lighter.LogArgs, err error) {
	names := []string{"prog_bar", "logger", "on_step", "on_epoch", "reduce_fx", "enable_graph", "sync_dist", "sync_dist_group", "add_dataloader_idx", "batch_size", "metric_attribute", "rank_zero_only"}
	if n == 1 {
		names = []string{"prog_bar", "logger", "on_step", "on_epoch", "reduce_fx", "enable_graph", "sync_dist", "sync_dist_group", "add_dataloader_idx", "batch_size", "rank_zero_only"}
	}
	for name := range a.kw {
		if known := append([]string{"name", "value", "dictionary"}, names...); !slices.Contains(known, name) {
			hint := ""
			if near := diag.Nearest(name, known, 1); len(near) > 0 {
				hint = fmt.Sprintf(": did you mean %q?", near[0])
			}
			return o, fmt.Errorf("log() got an unexpected keyword argument '%s'%s", name, hint)
		}
	}
	flag := func(name string) (*bool, error) {
		v := a.value(n+slices.Index(names, name), name, nil)
		b, ok := v.(bool)
		if v != nil && !ok {
			return nil, fmt.Errorf("log(): %s must be a bool, got %s", name, lighter.TypeName(v))
		}
		if !ok {
			return nil, nil
		}
		return &b, nil
	}
	flags := map[string]*bool{}
	for _, name := range []string{"prog_bar", "logger", "on_step", "on_epoch", "enable_graph", "sync_dist", "add_dataloader_idx", "rank_zero_only"} {
		if flags[name], err = flag(name); err != nil {
			return o, err
		}
	}
	set := func(name string) bool { return flags[name] != nil && *flags[name] }
	o = lighter.LogArgs{
		ProgBar: set("prog_bar"), Logger: flags["logger"], OnStep: flags["on_step"], OnEpoch: flags["on_epoch"], EnableGraph: set("enable_graph"),
		SyncDist: set("sync_dist"), PlainName: flags["add_dataloader_idx"] != nil && !*flags["add_dataloader_idx"], RankZeroOnly: set("rank_zero_only"),
	}
	switch v := a.value(n+slices.Index(names, "reduce_fx"), "reduce_fx", nil).(type) {
	case nil:
	case string:
		o.ReduceFx = v
	default:
		return o, fmt.Errorf("log(): reduce_fx must be one of \"mean\", \"sum\", \"min\" and \"max\", got %s", lighter.TypeName(v))
	}
	switch v := a.value(n+slices.Index(names, "batch_size"), "batch_size", nil).(type) {
	case nil:
	case int64:
		o.BatchSize = int(v)
	default:
		return o, fmt.Errorf("log(): batch_size must be an int, got %s", lighter.TypeName(v))
	}
	o.MetricAttribute, _ = a.kw["metric_attribute"].(string)
	return o, nil
}

func logValue(_ *session, t lighter.LightningTrainer, a arguments) (any, error) {
	name, err := a.text(0, "name")
	if err != nil {
		return nil, err
	}
	o, err := a.logArgs(2)
	if err != nil {
		return nil, err
	}
	return nil, t.LogValue(name, lighter.Plain(a.value(1, "value", nil)), o)
}

func logDict(_ *session, t lighter.LightningTrainer, a arguments) (any, error) {
	v := lighter.Plain(a.value(0, "dictionary", nil))
	d, ok := v.(lighter.Dict)
	if !ok {
		return nil, fmt.Errorf("log_dict() takes a dict, got %s", lighter.TypeName(v))
	}
	o, err := a.logArgs(1)
	if err != nil {
		return nil, err
	}
	return nil, t.LogDict(d, o)
}

func optimizers(_ *session, t lighter.LightningTrainer, _ arguments) (any, error) {
	all := t.Optimizers()
	if len(all) == 1 {
		return all[0], nil
	}
	out := make([]any, len(all))
	for i, o := range all {
		out[i] = o
	}
	return out, nil
}

func schedulers(_ *session, t lighter.LightningTrainer, _ arguments) (any, error) {
	all := t.LRSchedulers()
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return all[0], nil
	}
	out := make([]any, len(all))
	for i, s := range all {
		out[i] = s
	}
	return out, nil
}

func manualBackward(_ *session, t lighter.LightningTrainer, a arguments) (any, error) {
	loss, ok := tensorOf(lighter.Plain(a.value(0, "loss", nil)))
	if !ok {
		return nil, fmt.Errorf("manual_backward() takes the loss, got %s", lighter.TypeName(a.value(0, "loss", nil)))
	}
	return nil, t.ManualBackward(loss)
}

// clip clips the gradients of an optimizer's parameters.
func clip(s *session, o lighter.LightningOptimizer, value, algorithm any) error {
	t, ok := s.trainer.(lighter.LightningTrainer)
	if !ok {
		return errors.New("gradients are clipped while a stage runs")
	}
	var v *float64
	var how *string
	switch x := value.(type) {
	case nil:
	case float64:
		v = &x
	case int64:
		f := float64(x)
		v = &f
	default:
		return fmt.Errorf("gradient_clip_val must be a number, got %s", lighter.TypeName(value))
	}
	if text, ok := algorithm.(string); ok {
		how = &text
	}
	return t.ClipGradients(o, v, how)
}

// Trainer is self.trainer.
type Trainer struct {
	s *session
	t lighter.LightningTrainer
}

// TypeName is Lightning's.
func (*Trainer) TypeName() string { return "Trainer" }

func numbers(m map[string]float64) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

var trainerAttributes = map[string]func(t lighter.LightningTrainer) (any, error){
	"current_epoch":              func(t lighter.LightningTrainer) (any, error) { return int64(t.Epoch()), nil },
	"global_step":                func(t lighter.LightningTrainer) (any, error) { return t.GlobalStep(), nil },
	"max_epochs":                 func(t lighter.LightningTrainer) (any, error) { return int64(t.MaxEpochs()), nil },
	"sanity_checking":            func(t lighter.LightningTrainer) (any, error) { return t.SanityChecking(), nil },
	"training":                   func(t lighter.LightningTrainer) (any, error) { return t.Mode() == lighter.Train, nil },
	"validating":                 func(t lighter.LightningTrainer) (any, error) { return t.Stage() == "validate", nil },
	"testing":                    func(t lighter.LightningTrainer) (any, error) { return t.Mode() == lighter.Test, nil },
	"predicting":                 func(t lighter.LightningTrainer) (any, error) { return t.Mode() == lighter.Predict, nil },
	"should_stop":                func(t lighter.LightningTrainer) (any, error) { return t.ShouldStop(), nil },
	"is_last_batch":              func(t lighter.LightningTrainer) (any, error) { return t.IsLastBatch(), nil },
	"fast_dev_run":               func(t lighter.LightningTrainer) (any, error) { return t.FastDevRun(), nil },
	"accumulate_grad_batches":    func(t lighter.LightningTrainer) (any, error) { return int64(t.AccumulateGradBatches()), nil },
	"num_training_batches":       func(t lighter.LightningTrainer) (any, error) { return int64(t.NumBatches()), nil },
	"log_dir":                    func(t lighter.LightningTrainer) (any, error) { return t.LogDir(), nil },
	"default_root_dir":           func(t lighter.LightningTrainer) (any, error) { return t.DefaultRootDir(), nil },
	"ckpt_path":                  func(t lighter.LightningTrainer) (any, error) { return t.CkptPath(), nil },
	"callback_metrics":           func(t lighter.LightningTrainer) (any, error) { return numbers(t.Metrics()), nil },
	"logged_metrics":             func(t lighter.LightningTrainer) (any, error) { return numbers(t.LoggedMetrics()), nil },
	"progress_bar_metrics":       func(t lighter.LightningTrainer) (any, error) { return numbers(t.ProgBarMetrics()), nil },
	"estimated_stepping_batches": func(t lighter.LightningTrainer) (any, error) { return t.EstimatedSteppingBatches() },
	"lightning_module":           func(t lighter.LightningTrainer) (any, error) { return t.Model(), nil },
	"model":                      func(t lighter.LightningTrainer) (any, error) { return t.Model(), nil },
	"datamodule":                 func(t lighter.LightningTrainer) (any, error) { return t.DataModule(), nil },
	"is_global_zero":             func(lighter.LightningTrainer) (any, error) { return true, nil },
	"world_size":                 func(lighter.LightningTrainer) (any, error) { return int64(1), nil },
	"global_rank":                func(lighter.LightningTrainer) (any, error) { return int64(0), nil },
	"optimizers": func(t lighter.LightningTrainer) (any, error) {
		out := []any{}
		for _, o := range t.Optimizers() {
			out = append(out, o.Optimizer())
		}
		return out, nil
	},
	"callbacks": func(t lighter.LightningTrainer) (any, error) {
		out := []any{}
		for _, c := range t.Callbacks() {
			out = append(out, c)
		}
		return out, nil
	},
}

func (t *Trainer) attr(name string) (any, bool) {
	if f := trainerAttributes[name]; f != nil {
		v, err := f(t.t)
		if err != nil {
			return err, false
		}
		return v, true
	}
	if name == "save_checkpoint" {
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			a := arguments{args, kwargs}
			path, err := a.text(0, "filepath")
			if err != nil {
				return nil, err
			}
			weightsOnly, _ := a.value(1, "weights_only", false).(bool)
			return nil, t.t.SaveCheckpoint(path, weightsOnly)
		}), true
	}
	return nil, false
}

func (t *Trainer) names() []string { return append(keys(trainerAttributes), "save_checkpoint") }

func (t *Trainer) setAttr(name string, v any) (bool, error) {
	if on, ok := v.(bool); name == "should_stop" && ok {
		if on {
			t.t.Stop("should_stop was set")
		}
		return true, nil
	}
	return false, fmt.Errorf("'Trainer' object has no attribute '%s' that user code can set", name)
}
