// Package cli is the command line. A program calls [Main]; the components of the packages it imports are known to the
// configurations it runs.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/runner"
)

// libtorch's profiler wants to be used on the thread that loaded it, which is the first: main stays there.
func init() { runtime.LockOSThread() }

// Main runs the command that the process was started with and exits. The exit codes are those of package runner.
func Main() {
	p := &program{stdout: os.Stdout, stderr: os.Stderr, run: run, root: "/"}
	os.Exit(p.main(os.Args[1:]))
}

// run is what a stage's command does.
func run(ctx context.Context, stage string, inputs []any, o runner.Options) (*runner.Result, error) {
	return runner.Run(ctx, stage, inputs, o)
}

// program is one run of the command line.
type program struct {
	stdout, stderr *os.File
	run            func(ctx context.Context, stage string, inputs []any, o runner.Options) (*runner.Result, error)
	root           string // the folder that /proc, /sys and /dev are in

	logOptions
	debug bool

	console *console.Console
	log     zerolog.Logger
	started bool // the arguments were sound and the command runs
}

// main runs a command and gives its exit code.
func (p *program) main(args []string) (code int) {
	p.open()
	defer func() {
		if r := recover(); r != nil {
			code = p.bug(r, debug.Stack())
		}
	}()
	if err := registry.Faults(); err != nil {
		p.report(err, runner.ExitFailure)
		return runner.ExitFailure
	}
	cmd := p.command()
	cmd.SetArgs(args)
	err := cmd.Execute()
	var stop interruption
	switch {
	case err == nil:
		return runner.ExitOK
	case !p.started:
		p.open()
		p.reportUsage(err)
		return runner.ExitUsage
	case errors.As(err, &stop) && runner.ExitCode(err) != runner.ExitCheckpoint: // its checkpoint is there
		p.log.Warn().Msg(err.Error())
		return stop.exitCode()
	}
	code = runner.ExitCode(err)
	p.report(err, code)
	return code
}

// open makes the console and the log that the flags ask for.
func (p *program) open() { p.log, p.console = p.logOptions.open(p.stderr) }

// bug reports a panic, which is never the user's fault.
func (p *program) bug(r any, stack []byte) int {
	event := p.log.WithLevel(zerolog.FatalLevel)
	whose := culprit(string(stack), added())
	switch {
	case !p.json:
		fmt.Fprintf(p.console, "%s this is a bug in %s: %v\n", p.errorWord(), whose, r)
		if p.debug {
			p.console.Write(stack)
		} else if whose == "lighter" {
			fmt.Fprintln(p.console, "   --debug shows where; please report it with the configuration")
		} else {
			fmt.Fprintln(p.console, "   --debug shows the whole stack")
		}
	case p.debug:
		event.Str("stack", string(stack)).Msgf("this is a bug in %s: %v", whose, r)
	default:
		event.Msgf("this is a bug in %s: %v", whose, r)
	}
	return runner.ExitFailure
}

// command is the tree of commands.
func (p *program) command() *cobra.Command {
	cobra.EnableCommandSorting = false // in the order they are used
	root := &cobra.Command{
		Use:   "lighter",
		Short: "Train neural networks from a YAML file",
		Long: `lighter trains neural networks from a YAML file: the trainer, the model and the data are sections of it, and every
"_target_" in them names a component as PyTorch, Lightning and torchmetrics do.`,
		Example: `  lighter fit configs/digits.yaml
  lighter fit base.yaml big.yaml trainer::max_epochs=20 model::optimizer::lr=3e-4
  lighter test configs/digits.yaml --ckpt_path best
  lighter predict model.ckpt`,
		SilenceErrors: true, // report and reportUsage print them
		SilenceUsage:  true,
		PersistentPreRun: func(*cobra.Command, []string) {
			p.started = true
			p.open()
		},
	}
	version := root.Flags().Bool("version", false, "print versions and exit")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if *version {
			return p.printVersion()
		}
		p.started = false
		cmd.SetOut(p.stderr)
		help(cmd, nil)
		return errNoCommand
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetHelpFunc(help)
	root.SetUsageFunc(func(cmd *cobra.Command) error { help(cmd, nil); return nil })
	root.SetFlagErrorFunc(flagError)
	root.SetGlobalNormalizationFunc(spelling)

	flags := root.PersistentFlags()
	flags.BoolP("help", "h", false, "print help and exit")
	p.logOptions.register(flags)
	flags.BoolVar(&p.debug, "debug", false, "show C++ frames of libtorch's errors and the stack of a crash")

	root.AddGroup(&cobra.Group{ID: stageGroup, Title: "Stages"}, &cobra.Group{ID: otherGroup, Title: "Other commands"})
	for _, s := range stages {
		root.AddCommand(p.stageCommand(s))
	}
	root.AddCommand(p.checkCommand(), p.listCommand(), p.schemaCommand(), p.initCommand(), p.buildCommand(), p.inspectCommand(), p.exportCommand(), p.doctorCommand(), p.versionCommand(), p.referenceCommand())
	root.SetCompletionCommandGroupID(otherGroup)
	root.SetHelpCommandGroupID(otherGroup)
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	return root
}

const (
	stageGroup = "stages"
	otherGroup = "other"
)

// help prints what there is to know about a command.
func help(cmd *cobra.Command, _ []string) {
	w := cmd.OutOrStdout()
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(w, "%s\n\nUsage:\n", text)
	switch {
	case cmd.HasParent():
		fmt.Fprintf(w, "  %s\n", cmd.UseLine())
	default:
		fmt.Fprintf(w, "  %s fit|validate|test|predict INPUTS... [flags]\n  %[1]s COMMAND [flags]\n", cmd.Name())
	}
	for _, g := range cmd.Groups() {
		fmt.Fprintf(w, "\n%s:\n", g.Title)
		for _, c := range cmd.Commands() {
			if c.GroupID == g.ID && c.IsAvailableCommand() || c.GroupID == g.ID && c.Name() == "help" {
				fmt.Fprintf(w, "  %-12s%s\n", c.Name(), c.Short)
			}
		}
	}
	helpCommands(w, cmd)
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableLocalFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s", cmd.LocalFlags().FlagUsages())
	}
	if cmd.HasAvailableInheritedFlags() {
		fmt.Fprintf(w, "\nFlags of every command:\n%s", cmd.InheritedFlags().FlagUsages())
	}
	if !cmd.HasParent() {
		fmt.Fprintf(w, "\n%s", exitCodes)
	}
}

// helpCommands lists the subcommands of a command without groups.
func helpCommands(w io.Writer, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() || len(cmd.Groups()) > 0 {
		return
	}
	fmt.Fprint(w, "\nCommands:\n")
	for _, c := range cmd.Commands() {
		fmt.Fprintf(w, "  %-12s%s\n", c.Name(), c.Short)
	}
}

const exitCodes = `Exit codes:
  0    done
  1    failed, for another reason than these
  2    the command line or the configuration is wrong; nothing ran
  3    the data could not be read
  4    the numbers went wrong: a loss that is NaN or infinite
  5    out of memory
  6    a checkpoint could not be read or written
  130  stopped by SIGINT (Ctrl-C), 143 by SIGTERM, 138 by SIGUSR1, after the step; a second signal stops at once
`
