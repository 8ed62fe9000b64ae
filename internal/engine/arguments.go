package engine

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/timedelta"
)

// arguments are the Trainer's, by PyTorch Lightning's names. A nil pointer is Lightning's None.
type arguments struct {
	Accelerator                   string              `cfg:"accelerator" help:"cpu, gpu, cuda, or auto: a GPU when there is one" oneof:"auto|cpu|gpu|cuda"`
	Devices                       devices             `cfg:"devices,aka=gpus|num_gpus|num_devices" help:"which device: 1 or auto for the first, [n] for GPU n"`
	Strategy                      strategy            `cfg:"strategy" help:"how devices share the work: auto, single_device, or ddp of one device"`
	NumNodes                      int                 `cfg:"num_nodes" help:"number of machines: 1"`
	Precision                     precision           `cfg:"precision,aka=amp" help:"element types: 32-true, 64-true, bf16-mixed, 16-mixed, bf16-true, 16-true"`
	Logger                        loggers             `cfg:"logger" help:"a logger, a list of them, true for CSV and TensorBoard, or false for none"`
	Callbacks                     callbacks           `cfg:"callbacks" help:"a callback or a list of them"`
	FastDevRun                    devRun              `cfg:"fast_dev_run,aka=dev_run|smoke_test" help:"run this many batches of each loader once, writing nothing"`
	MaxEpochs                     *int                `cfg:"max_epochs,aka=epochs|num_epochs|n_epochs" help:"stop after this many epochs; -1 for no limit; default 1000"`
	MinEpochs                     *int                `cfg:"min_epochs" help:"do not stop early before this many epochs"`
	MaxSteps                      int                 `cfg:"max_steps,aka=num_steps|total_steps" help:"stop after this many optimizer steps; -1 for no limit"`
	MinSteps                      *int                `cfg:"min_steps" help:"do not stop early before this many optimizer steps"`
	MaxTime                       *timedelta.Duration `cfg:"max_time" help:"stop after this time: DD:HH:MM:SS, a mapping, or datetime.timedelta"`
	LimitTrainBatches             limit               `cfg:"limit_train_batches" help:"batches of an epoch: a number, or a float fraction"`
	LimitValBatches               limit               `cfg:"limit_val_batches" help:"batches of a validation: a number, or a float fraction"`
	LimitTestBatches              limit               `cfg:"limit_test_batches" help:"batches of a test: a number, or a float fraction"`
	LimitPredictBatches           limit               `cfg:"limit_predict_batches" help:"batches of a prediction: a number, or a float fraction"`
	OverfitBatches                limit               `cfg:"overfit_batches,aka=overfit" help:"train and validate on the first batches: a number, or a float fraction"`
	ValCheckInterval              interval            `cfg:"val_check_interval,aka=val_interval|eval_interval" help:"validate after this many batches, this fraction of an epoch, or this time"`
	CheckValEveryNEpoch           *int                `cfg:"check_val_every_n_epoch,aka=val_every|eval_every" help:"validate every n epochs; null counts batches across epochs"`
	NumSanityValSteps             *int                `cfg:"num_sanity_val_steps" help:"validation batches before the first epoch; -1 for all; default 2"`
	LogEveryNSteps                *int                `cfg:"log_every_n_steps,aka=log_interval|log_every" help:"write a step row every n optimizer steps; 0 never; default 50"`
	AccumulateGradBatches         int                 `cfg:"accumulate_grad_batches,aka=gradient_accumulation_steps|accumulation_steps|grad_accum" help:"batches whose gradients make one optimizer step"`
	GradientClipVal               *float64            `cfg:"gradient_clip_val,aka=grad_clip|clip_grad_norm|max_grad_norm|gradient_clip|clip_norm" help:"largest gradient norm or value; null does not clip"`
	GradientClipAlgorithm         *string             `cfg:"gradient_clip_algorithm" help:"clip by norm or by value" oneof:"norm|value"`
	EnableCheckpointing           *bool               `cfg:"enable_checkpointing,aka=checkpointing|checkpoint" help:"save checkpoints, with ModelCheckpoint when none is given"`
	EnableProgressBar             *bool               `cfg:"enable_progress_bar,aka=progress_bar" help:"show a progress bar"`
	EnableModelSummary            *bool               `cfg:"enable_model_summary,aka=model_summary" help:"print a summary of the layers before a fit"`
	Deterministic                 determin            `cfg:"deterministic" help:"only repeatable operations; warn reports the others"`
	Benchmark                     *bool               `cfg:"benchmark" help:"let cuDNN try its algorithms for each shape"`
	DetectAnomaly                 bool                `cfg:"detect_anomaly" help:"name the forward operation behind a NaN gradient; slow"`
	InferenceMode                 bool                `cfg:"inference_mode" help:"validate, test and predict without autograd data"`
	DefaultRootDir                *string             `cfg:"default_root_dir,aka=output_dir|root_dir|out_dir" help:"folder for logs and checkpoints; default the working folder"`
	Profiler                      profilerArg         `cfg:"profiler" help:"measure the run: simple, pytorch, or a profiler"`
	Barebones                     bool                `cfg:"barebones" help:"nothing that costs time: to measure the loop itself"`
	Plugins                       any                 `cfg:"plugins" help:"null: precision, strategy and checkpoints have arguments of their own"`
	ModelRegistry                 any                 `cfg:"model_registry" help:"null: no model is uploaded"`
	SyncBatchnorm                 any                 `cfg:"sync_batchnorm,ignored" help:"no effect with one process"`
	UseDistributedSampler         any                 `cfg:"use_distributed_sampler,ignored" help:"no effect with one process"`
	ReloadDataloadersEveryNEpochs int                 `cfg:"reload_dataloaders_every_n_epochs" help:"ask a model or data module for its own loaders again every n epochs; 0 once"`
	EnableAutologHparams          any                 `cfg:"enable_autolog_hparams,ignored" help:"no effect: the configuration is saved as Lighter saves it"`
	SuggestIntegrations           any                 `cfg:"suggest_integrations,ignored" help:"no effect: nothing is advertised"`
	MemoryFormat                  string              `cfg:"memory_format" help:"layout of images: auto takes channels_last for convolutions" oneof:"auto|contiguous|channels_last"`
	Report                        bool                `cfg:"report" help:"write report.html, a page about the run, into its folder"`
}

func init() {
	one := 1
	registry.Register("pytorch_lightning.Trainer", arguments{
		Accelerator: "auto", NumNodes: 1, MaxSteps: -1, CheckValEveryNEpoch: &one, AccumulateGradBatches: 1, InferenceMode: true, MemoryFormat: "auto", Precision: precisions[0],
		Report: true,
	}, "lightning.pytorch.Trainer", "lightning.Trainer", "pytorch_lightning.trainer.Trainer", "pytorch_lightning.trainer.trainer.Trainer",
		"lightning.pytorch.trainer.Trainer", "lightning.pytorch.trainer.trainer.Trainer")
}

// Doc is the component's prose.
func (arguments) Doc() string {
	return "Runs the stages: PyTorch Lightning's Trainer (https://lightning.ai/docs/pytorch/stable/common/trainer.html)."
}

// Validate applies Lightning's rules on values and combinations.
func (a arguments) Validate() error {
	atLeast := func(name string, v *int, least int) error {
		if v != nil && *v < least {
			return lighter.FieldError(name, "must be at least %d, got %d", least, *v)
		}
		return nil
	}
	for _, err := range []error{
		atLeast("max_epochs", a.MaxEpochs, -1), atLeast("min_epochs", a.MinEpochs, 0), atLeast("max_steps", &a.MaxSteps, -1),
		atLeast("min_steps", a.MinSteps, 0), atLeast("num_sanity_val_steps", a.NumSanityValSteps, -1),
		atLeast("log_every_n_steps", a.LogEveryNSteps, 0), atLeast("accumulate_grad_batches", &a.AccumulateGradBatches, 1),
		atLeast("check_val_every_n_epoch", a.CheckValEveryNEpoch, 1), atLeast("reload_dataloaders_every_n_epochs", &a.ReloadDataloadersEveryNEpochs, 0),
	} {
		if err != nil {
			return err
		}
	}
	if list, ok := a.Plugins.([]any); a.Plugins != nil && (!ok || len(list) > 0) {
		return lighter.FieldError("plugins", "there are no plugins to choose from: trainer::precision sets the element types, and this is one device; leave plugins out")
	}
	if a.ModelRegistry != nil {
		return lighter.FieldError("model_registry", "nothing is uploaded to a model hub: leave model_registry out")
	}
	if err := a.bare(); err != nil {
		return err
	}
	if a.NumNodes != 1 {
		return lighter.FieldError("num_nodes", "one machine is supported: must be 1, got %d", a.NumNodes)
	}
	if a.GradientClipVal != nil && *a.GradientClipVal < 0 {
		return lighter.FieldError("gradient_clip_val", "must not be negative, got %v", *a.GradientClipVal)
	}
	if v := a.ValCheckInterval; a.CheckValEveryNEpoch == nil && v.every == 0 && v.isFraction() && v.set {
		return lighter.FieldError("val_check_interval", "must be an int or a time when check_val_every_n_epoch is null")
	}
	return nil
}

// devRun is fast_dev_run: false, true for one batch, or a number of batches.
type devRun int

// DecodeConfig takes a bool or an int.
func (d *devRun) DecodeConfig(v any) error {
	switch x := v.(type) {
	case nil:
		*d = 0
	case bool:
		*d = 0
		if x {
			*d = 1
		}
	case int64:
		if x < 0 {
			return fmt.Errorf("must not be negative, got %d", x)
		}
		*d = devRun(x)
	default:
		return fmt.Errorf("must be %s, got %s", d.ConfigType(), lighter.TypeName(v))
	}
	return nil
}

// ConfigType names the form.
func (*devRun) ConfigType() string { return "a bool or an int" }

type determin struct{ on, warn bool }

// DecodeConfig takes a bool or "warn".
func (d *determin) DecodeConfig(v any) error {
	switch x := v.(type) {
	case nil:
	case bool:
		d.on = x
	case string:
		if x != "warn" {
			return fmt.Errorf("must be %s, got %q", d.ConfigType(), x)
		}
		d.on, d.warn = true, true
	default:
		return fmt.Errorf("must be %s, got %s", d.ConfigType(), lighter.TypeName(v))
	}
	return nil
}

// ConfigType names the form.
func (*determin) ConfigType() string { return `a bool or "warn"` }

// loggers is the logger argument; the default ones are added by the build.
type loggers struct {
	on   bool // asked for
	off  bool
	list []lighter.Logger
}

// DecodeConfig takes a bool, a logger or a list of loggers.
func (l *loggers) DecodeConfig(v any) error {
	switch x := v.(type) {
	case nil:
	case bool:
		l.on, l.off = x, !x
	case []any:
		l.off = len(x) == 0
		for _, item := range x {
			if err := l.add(item); err != nil {
				return err
			}
		}
	default:
		return l.add(v)
	}
	return nil
}

func (l *loggers) add(v any) error {
	logger, ok := v.(lighter.Logger)
	if !ok {
		return fmt.Errorf("must be %s, got %T", l.ConfigType(), v)
	}
	l.list, l.on = append(l.list, logger), true
	return nil
}

// CheckConfig takes what will be a logger or a list of loggers.
func (l *loggers) CheckConfig(v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		if !registry.Fits[lighter.Logger](item) {
			return fmt.Errorf("must be %s, got %s", l.ConfigType(), registry.Describe(item))
		}
	}
	l.on = true
	return nil
}

// ConfigType names the form.
func (*loggers) ConfigType() string { return "a bool, a logger or a list of loggers" }

type callbacks []lighter.Callback

// DecodeConfig takes a callback or a list of them.
func (c *callbacks) DecodeConfig(v any) error {
	items, ok := v.([]any)
	if !ok && v != nil {
		items = []any{v}
	}
	*c = nil
	for _, item := range items {
		switch item.(type) {
		case bool, int64, float64, string, []any:
			return fmt.Errorf("must be %s, got %v", c.ConfigType(), item)
		}
		*c = append(*c, item)
	}
	return nil
}

// CheckConfig takes what will be a callback or a list of callbacks.
func (c *callbacks) CheckConfig(v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		if p, ok := item.(registry.Promise); ok && !registry.Fits[lighter.Callback](p) {
			return fmt.Errorf("must be %s, got %s", c.ConfigType(), registry.Describe(item))
		}
	}
	return nil
}

// ConfigType names the form.
func (*callbacks) ConfigType() string { return "a callback or a list of callbacks" }
