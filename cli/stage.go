package cli

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/runner"
)

// stage is what tells the four commands apart.
type stage struct {
	name, short string
	others      []string // what else people call it
	example     string
	verbose     bool // it prints metrics
	predictions bool // it gives predictions
	checkpoints bool // a checkpoint alone is an input
	resumes     bool // it can go on with an earlier run
}

var stages = []stage{
	{
		name: "fit", short: "Train a model, with validation", others: []string{"train", "run"}, resumes: true,
		example: `  lighter fit config.yaml
  lighter fit base.yaml experiment.yaml trainer::max_epochs=20
  lighter fit config.yaml --ckpt_path last
  lighter fit config.yaml --resume auto
  lighter fit config.yaml trainer::fast_dev_run=true
  lighter fit config.yaml 'trainer::logger=null' 'model::optimizer::betas=[0.9, 0.95]'
  lighter fit config.yaml '=model::optimizer={_target_: torch.optim.SGD, params: "$@model::network.parameters()", lr: 0.1}'
  lighter fit config.yaml '~model::scheduler'`,
	},
	{
		name: "validate", short: "Measure a model on the validation data", others: []string{"val", "eval", "evaluate"}, verbose: true,
		example: `  lighter validate config.yaml --ckpt_path best
  lighter validate config.yaml --ckpt_path checkpoints/last.ckpt data::val_dataloader::batch_size=256`,
	},
	{
		name: "test", short: "Measure a model on the test data", verbose: true,
		example: `  lighter test config.yaml --ckpt_path best
  lighter test config.yaml --ckpt_path weights.ckpt --weights_only --no-verbose`,
	},
	{
		name: "predict", short: "Write a model's predictions", others: []string{"infer", "inference"}, predictions: true, checkpoints: true,
		example: `  lighter predict config.yaml --ckpt_path best
  lighter predict model.ckpt
  lighter predict model.ckpt data::predict_dataloader::batch_size=256`,
	},
}

const inputsHelp = `
Inputs are merged from left to right; options may stand anywhere among them.

  base.yaml               a file
  a::b::c=VALUE           sets a key; mappings are merged, lists extended
  =a::b=VALUE             replaces what is there
  ~a::b                   deletes a key

VALUE is YAML: 3, 1e-4, true, null, some text, [1, 2], {lr: 0.1}. In a shell, put quotes around an input with a
blank or one of $ * [ ] { } " ' & ; and around one that begins with = or ~. After "--" everything is an input.`

const resumeHelp = `

--resume auto makes a command that can be repeated until it is done, whatever stops it. It goes on from the newest sound
checkpoint of a run of this configuration, in that run's folder, whose logs it continues as if it had never stopped; with
none it starts afresh, from --ckpt_path if that is given; a run that is done stays as it is. Runs are looked for in the
version folders of the first logger's save_dir/name, or where ModelCheckpoint has a dirpath, there. A run is of this
configuration when what decides its numbers is the same: all but the args section, the test and predict loaders, how
data is loaded (num_workers and its like) and the Trainer's arguments that say how long to train (max_epochs and its
like), where, on what, and with which loggers and callbacks. The end of such a run is saved as end.ckpt when no
callback saves it.`

// stageCommand is the command of a stage.
func (p *program) stageCommand(s stage) *cobra.Command {
	var o runner.Options
	var predictions bool
	long := s.short + ".\n" + inputsHelp
	extensions := []string{"yaml", "yml"}
	if s.resumes {
		long += resumeHelp
	}
	if s.checkpoints {
		long += "\nA checkpoint holds its configuration: FILE.ckpt as the first input takes both from it."
		extensions = append(extensions, "ckpt")
	}
	cmd := &cobra.Command{
		Use: s.name + " INPUTS... [flags]", Short: s.short, Long: long, Example: s.example, SuggestFor: s.others, GroupID: stageGroup,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{cmd: cmd, err: errors.New("an input is missing: the YAML file to start with")}
			}
			if o.Resume != "" && o.Resume != "auto" {
				return &usageError{cmd: cmd, err: fmt.Errorf("--resume must be auto, got %q", o.Resume), hint: "--ckpt_path takes a file"}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return extensions, cobra.ShellCompDirectiveFilterFileExt
		},
		DisableFlagsInUseLine: true,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.CkptPath, "ckpt_path", "", "checkpoint to start from: a `PATH`, or last or best of the newest run")
	flags.BoolVar(&o.WeightsOnly, "weights_only", false, "let a fit begin with a file that holds weights alone, such as .safetensors")
	if s.resumes {
		flags.StringVar(&o.Resume, "resume", "", "with `auto`, go on with the newest run of this configuration, if there is one")
		_ = cmd.RegisterFlagCompletionFunc("resume", cobra.FixedCompletions([]string{"auto"}, cobra.ShellCompDirectiveNoFileComp))
	}
	if s.verbose {
		switchVar(flags, &o.Verbose, "verbose", true, "print the table of metrics; --no-verbose does not")
	}
	if s.predictions {
		switchVar(flags, &predictions, "return_predictions", false,
			"accepted and without effect, as in Lighter: writers of the configuration keep predictions")
	}
	_ = cmd.RegisterFlagCompletionFunc("ckpt_path", completeCheckpoint) // fails for an unknown flag only
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		o.Out, o.Log, o.Err, o.Debug = p.stdout, p.log, p.console, p.debug
		if predictions {
			p.log.Warn().Msg("--return_predictions has no effect: writers of the configuration keep predictions")
		}
		inputs := make([]any, len(args))
		for i, a := range args {
			inputs[i] = a
		}
		return p.runStage(s.name, inputs, o)
	}
	return cmd
}

// runStage runs a stage until it ends or a signal stops it.
func (p *program) runStage(name string, inputs []any, o runner.Options) error {
	ctx, stop := untilSignal(p.log)
	defer stop()
	start := time.Now()
	result, err := p.run(ctx, name, inputs, o)
	if err = interrupted(ctx, err); err != nil {
		return err
	}
	done := p.log.Info().Float64("seconds", float64(time.Since(start).Milliseconds())/1e3)
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		done.Int64("max_rss_mb", usage.Maxrss>>10)
	}
	if result != nil && result.LogDir != "" {
		done.Str("log_dir", result.LogDir)
	}
	done.Msg(name + " done")
	return nil
}

// completeCheckpoint offers the words that stand for a checkpoint, then files.
func completeCheckpoint(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	var words []string
	for _, w := range []string{"best\tthe best of the last run", "last\tthe newest of the last run"} {
		if strings.HasPrefix(w, toComplete) {
			words = append(words, w)
		}
	}
	if words != nil {
		return words, cobra.ShellCompDirectiveDefault
	}
	return weightFiles, cobra.ShellCompDirectiveFilterFileExt
}
