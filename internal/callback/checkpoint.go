package callback

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/timedelta"
)

// ModelCheckpoint are the arguments of Lightning's callback, with its defaults and naming rules.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ModelCheckpoint.html
type ModelCheckpoint struct {
	Dirpath              *string             `cfg:"dirpath,aka=dir|directory|folder|output_dir|save_dir" help:"folder of the files; default: checkpoints/ in the folder of the run"`
	Filename             *string             `cfg:"filename,aka=name|file" help:"template such as {epoch}-{val/loss/epoch:.2f}; default: {epoch}-{step}"`
	Monitor              *string             `cfg:"monitor,aka=metric|monitored" help:"name of the value that ranks checkpoints; default: keep the newest"`
	Verbose              bool                `cfg:"verbose" help:"log every decision"`
	SaveLast             SaveLast            `cfg:"save_last" help:"also write last.ckpt: true for a copy, link for a symbolic link"`
	SaveTopK             int                 `cfg:"save_top_k,aka=keep|max_to_keep" help:"how many of the best to keep; 0 none, -1 all"`
	SaveOnException      bool                `cfg:"save_on_exception" help:"save when the run fails"`
	SaveWeightsOnly      bool                `cfg:"save_weights_only" help:"leave out the state of optimizers, schedulers and callbacks"`
	Mode                 string              `cfg:"mode" oneof:"min|max" help:"whether the least or the greatest monitored value is best"`
	AutoInsertMetricName bool                `cfg:"auto_insert_metric_name" help:"put name= before every field of the filename"`
	EveryNTrainSteps     *int                `cfg:"every_n_train_steps" help:"save every so many optimizer steps"`
	TrainTimeInterval    *timedelta.Duration `cfg:"train_time_interval" help:"save when so much time has passed, at the end of a batch"`
	EveryNEpochs         *int                `cfg:"every_n_epochs" help:"save every so many epochs; 1 when no other interval is given"`
	SaveOnTrainEpochEnd  *bool               `cfg:"save_on_train_epoch_end" help:"save at the end of training epochs, not of validations"`
	EnableVersionCounter bool                `cfg:"enable_version_counter" help:"add -v1, -v2 to a name that exists, instead of overwriting"`
}

// DefaultModelCheckpoint are the defaults.
func DefaultModelCheckpoint() ModelCheckpoint {
	return ModelCheckpoint{SaveTopK: 1, Mode: "min", AutoInsertMetricName: true, EnableVersionCounter: true}
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.ModelCheckpoint", DefaultModelCheckpoint(),
		aliases("callbacks", "model_checkpoint", "ModelCheckpoint")...)
}

// SaveLast is the argument save_last: null, a bool or "link".
type SaveLast struct{ on, link bool }

// ConfigType names the forms.
func (s *SaveLast) ConfigType() string { return `a bool, "link" or null` }

// DecodeConfig takes any of the forms.
func (s *SaveLast) DecodeConfig(v any) error {
	switch v {
	case nil, false:
		*s = SaveLast{}
	case true:
		*s = SaveLast{on: true}
	case "link":
		*s = SaveLast{on: true, link: true}
	default:
		return errors.New("expected " + s.ConfigType())
	}
	return nil
}

// Validate applies Lightning's rules on combinations.
func (a ModelCheckpoint) Validate() error {
	steps, epochs := a.triggers()
	var set int
	for _, on := range []bool{steps >= 1, epochs >= 1, a.TrainTimeInterval != nil} {
		if on {
			set++
		}
	}
	t, err := a.template()
	if err == nil {
		err = t.check()
	}
	switch {
	case err != nil:
		return lighter.FieldError("filename", "%v", err)
	case a.SaveTopK < -1:
		return lighter.FieldError("save_top_k", "Invalid value for save_top_k=%d. Must be >= -1", a.SaveTopK)
	case steps < 0:
		return lighter.FieldError("every_n_train_steps", "Invalid value for every_n_train_steps=%d. Must be >= 0", steps)
	case epochs < 0:
		return lighter.FieldError("every_n_epochs", "Invalid value for every_n_epochs=%d. Must be >= 0", epochs)
	case a.TrainTimeInterval != nil && *a.TrainTimeInterval < 0:
		return lighter.FieldError("train_time_interval", "must not be negative")
	case set > 1:
		return lighter.FieldError("every_n_train_steps", "Combination of parameters every_n_train_steps=%d, every_n_epochs=%d and train_time_interval=%s should be mutually exclusive.",
			steps, epochs, a.intervalText())
	case a.Monitor == nil && (a.SaveTopK < -1 || a.SaveTopK > 1):
		return lighter.FieldError("save_top_k", "ModelCheckpoint(save_top_k=%d, monitor=None) is not a valid configuration. No quantity for top_k to track.", a.SaveTopK)
	}
	return nil
}

// triggers are every_n_train_steps and every_n_epochs as Lightning completes them.
func (a ModelCheckpoint) triggers() (steps, epochs int) {
	if a.EveryNTrainSteps == nil && a.EveryNEpochs == nil && a.TrainTimeInterval == nil {
		return 0, 1
	}
	if a.EveryNTrainSteps != nil {
		steps = *a.EveryNTrainSteps
	}
	if a.EveryNEpochs != nil {
		epochs = *a.EveryNEpochs
	}
	return steps, epochs
}

func (a ModelCheckpoint) intervalText() string {
	if a.TrainTimeInterval == nil {
		return "None"
	}
	return a.TrainTimeInterval.String()
}

func (a ModelCheckpoint) template() (nameTemplate, error) {
	if a.Filename == nil || *a.Filename == "" {
		return parseName("{epoch}-{step}")
	}
	return parseName(*a.Filename)
}

// Build makes the callback.
func (a ModelCheckpoint) Build(env *lighter.Env) (lighter.Callback, error) {
	t, err := a.template()
	if err != nil {
		return nil, lighter.FieldError("filename", "%v", err)
	}
	c := &Checkpoint{args: a, log: env.Log, name: t, now: time.Now, kthValue: math.Inf(1)}
	if a.Mode == "max" {
		c.kthValue = math.Inf(-1)
	}
	c.everySteps, c.everyEpochs = a.triggers()
	if a.Monitor != nil {
		c.monitor = *a.Monitor
	}
	return c, nil
}

// Checkpoint saves checkpoints and keeps the best of them: the built form of [ModelCheckpoint].
type Checkpoint struct {
	args                    ModelCheckpoint
	log                     zerolog.Logger
	name                    nameTemplate
	monitor                 string // "" for none
	everySteps, everyEpochs int
	now                     func() time.Time

	t         lighter.Trainer
	dir       string
	checked   time.Time // when train_time_interval last elapsed
	validated bool      // a validation has run, so that its metrics are known
	deferred  bool      // a save waits for the validation that gives its metric
	warned    bool

	savedStep            int64    // the global step saved last
	savedPath            string   // the file saved last
	replaced             []string // what that save makes superfluous: a checkpoint, then a last.ckpt if it makes a new one
	best                 []kept   // in the order they were kept
	bestPath, lastPath   string
	kthPath              string
	kthValue             float64
	bestScore, lastScore *float64
}

// kept is a checkpoint among the best.
type kept struct {
	path  string
	score float64
}

var (
	_ lighter.Setupper     = (*Checkpoint)(nil)
	_ lighter.StageStarter = (*Checkpoint)(nil)
	_ lighter.BatchEnder   = (*Checkpoint)(nil)
	_ lighter.EpochEnder   = (*Checkpoint)(nil)
	_ lighter.StageEnder   = (*Checkpoint)(nil)
	_ lighter.Checkpointer = (*Checkpoint)(nil)
	_ lighter.Stateful     = (*Checkpoint)(nil)
	_ lighter.Resumer      = (*Checkpoint)(nil)

	_ lighter.ExceptionSaver = (*Checkpoint)(nil)
)

// BestPath is the best checkpoint so far; without a monitor the newest.
func (c *Checkpoint) BestPath() string { return c.bestPath }

// LastPath is the newest checkpoint.
func (c *Checkpoint) LastPath() string {
	if c.lastPath != "" {
		return c.lastPath
	}
	return c.savedPath
}

// Dirpath is the folder the configuration gives, "" for the folder of the run.
func (c *Checkpoint) Dirpath() string {
	if c.args.Dirpath == nil {
		return ""
	}
	dir, err := realPath(*c.args.Dirpath)
	if err != nil {
		return *c.args.Dirpath
	}
	return dir
}

// Setup settles the folder. It makes nothing: the folder comes with the first file.
func (c *Checkpoint) Setup(t lighter.Trainer) error {
	c.t = t
	switch {
	case c.args.Dirpath != nil:
		dir, err := realPath(*c.args.Dirpath)
		if err != nil {
			return fmt.Errorf("dirpath of ModelCheckpoint: %w", err)
		}
		c.dir = dir
	case t.LogDir() != "":
		c.dir = filepath.Join(t.LogDir(), "checkpoints")
	default:
		c.dir = filepath.Join(t.DefaultRootDir(), "checkpoints")
	}
	if t.Stage() == "fit" && c.args.SaveTopK != 0 && !t.Continues() {
		if entries, err := os.ReadDir(c.dir); err == nil && len(entries) > 0 {
			c.log.Warn().Msgf("Checkpoint directory %s exists and is not empty.", c.dir)
		}
	}
	return nil
}

// realPath expands ~ and symbolic links as far as the path exists, and makes it absolute.
func realPath(path string) (string, error) {
	if path == "~" || strings.HasPrefix(path, "~/") {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(home, path[1:])
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest), nil
		}
		if dir == filepath.Dir(dir) {
			return abs, nil
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// StageStart starts the clock of train_time_interval.
func (c *Checkpoint) StageStart(lighter.Trainer) error {
	c.checked = c.now()
	return nil
}

// BatchEnd saves when a number of steps or a time has passed. A monitored value that the next validation gives is
// waited for.
func (c *Checkpoint) BatchEnd(t lighter.Trainer, _ lighter.Output, _ int) error {
	interval := c.args.TrainTimeInterval
	if c.everySteps < 1 && interval == nil || t.Mode() != lighter.Train {
		return nil
	}
	due := c.everySteps >= 1 && t.GlobalStep()%int64(c.everySteps) == 0
	if interval != nil {
		if now := c.now(); now.Sub(c.checked) >= time.Duration(*interval) {
			c.checked, due = now, true
		}
	}
	if !due || c.skip() {
		return nil
	}
	cs := c.candidates()
	if c.monitor != "" {
		_, known := cs.get(c.monitor)
		if !known || !c.onTrainEpochEnd() && c.t.WillValidate() {
			c.deferred = true
			return nil
		}
	}
	return c.saveBoth(cs)
}

// EpochEnd saves after a training epoch, or after a validation, as the validation schedule asks.
func (c *Checkpoint) EpochEnd(t lighter.Trainer) error {
	c.validated = c.validated || t.Mode() == lighter.Val && !t.SanityChecking()
	switch {
	case c.skip():
		return nil
	case t.Mode() == lighter.Val:
		if c.deferred {
			c.deferred = false
			return c.saveBoth(c.candidates())
		}
		if c.onTrainEpochEnd() {
			return nil
		}
	case t.Mode() != lighter.Train || !c.onTrainEpochEnd():
		return nil
	}
	cs := c.candidates()
	if c.everyEpochs >= 1 && (t.Epoch()+1)%c.everyEpochs == 0 {
		if saved, err := c.saveTopK(cs); err != nil || saved {
			return err
		}
	}
	if c.args.SaveLast.link && c.savedPath != "" {
		return c.saveLast()
	}
	return nil
}

// StageEnd writes last.ckpt if it is wanted and nothing was saved.
func (c *Checkpoint) StageEnd(t lighter.Trainer) error {
	if t.Stage() != "fit" || !c.args.SaveLast.on || c.savedPath != "" {
		return nil
	}
	return c.saveLast()
}

// Exception saves what there is when the run fails with cause, if save_on_exception is set.
func (c *Checkpoint) Exception(t lighter.Trainer, cause error) error {
	if !c.args.SaveOnException || c.t == nil || c.skip() {
		return nil
	}
	cs := c.candidates()
	name, err := c.name.format(cs, c.args.AutoInsertMetricName)
	if err != nil {
		return err
	}
	path := c.file(name)
	if err := c.save(path, ""); err != nil {
		return err
	}
	c.log.Info().Msgf("the run failed (%v), saved checkpoint to %s", cause, path)
	return nil
}

// SavesOnException says whether save_on_exception is set.
func (c *Checkpoint) SavesOnException() bool { return c.args.SaveOnException }

// skip says that nothing may be saved now: not in a fit, in the sanity check, or twice at one step.
func (c *Checkpoint) skip() bool {
	return c.t.Stage() != "fit" || c.t.SanityChecking() || c.savedStep == c.t.GlobalStep()
}

func (c *Checkpoint) onTrainEpochEnd() bool {
	if c.args.SaveOnTrainEpochEnd != nil {
		return *c.args.SaveOnTrainEpochEnd
	}
	return c.t.ValidatesAtEpochEnd()
}

// candidates reads the metrics. Waits for the device.
func (c *Checkpoint) candidates() candidates {
	cs := candidates{metrics: map[string]float64{}, epoch: int64(c.t.Epoch()), step: c.t.GlobalStep()}
	for name, v := range c.t.Metrics() {
		cs.metrics[name] = float64(float32(v))
	}
	return cs
}
