package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/engine"
	"github.com/lighter-go/lighter/internal/project"
	"github.com/lighter-go/lighter/internal/registry"
)

// checkOptions are what `lighter check` prints beside its verdict.
type checkOptions struct {
	print, resolved bool
	explain         string
}

func (p *program) checkCommand() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use: "check INPUTS... [flags]", Short: "Check a configuration for every stage, without running it",
		Long: "Check a configuration for every stage: all that a run does before it makes the first tensor.\n" + inputsHelp,
		Example: `  lighter check config.yaml
  lighter check base.yaml experiment.yaml trainer::max_epochs=20
  lighter check config.yaml --print > merged.yaml
  lighter check config.yaml --explain model::optimizer::lr`,
		SuggestFor: []string{"lint", "verify", "dry-run"}, GroupID: otherGroup, DisableFlagsInUseLine: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.print && o.resolved || o.explain != "" && (o.print || o.resolved) {
				return &usageError{cmd: cmd, err: errors.New("--print, --resolved and --explain exclude each other")}
			}
			return needInput(cmd, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.print, "print", false, "print the merged configuration")
	flags.BoolVar(&o.resolved, "resolved", false, "print it with references and constant expressions replaced by their values")
	flags.StringVar(&o.explain, "explain", "", "say where the value at a `PATH` came from and what it replaced")
	cmd.RunE = func(_ *cobra.Command, args []string) error { return p.check(inputsOf(args), o) }
	return cmd
}

// needInput asks for at least one input.
func needInput(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &usageError{cmd: cmd, err: errors.New("an input is missing: the YAML file to start with")}
	}
	return nil
}

func inputsOf(args []string) []any {
	inputs := make([]any, len(args))
	for i, a := range args {
		inputs[i] = a
	}
	return inputs
}

// check checks a configuration and prints what is asked for, also of one with errors.
func (p *program) check(inputs []any, o checkOptions) error {
	env := registry.Env{Stage: "fit", Log: p.log, Console: p.console}
	if code, err := project.Open(".", p.log); err != nil {
		return err
	} else if code != nil {
		defer code.Close()
		env.Project = code
	}
	c, report, err := engine.Check(inputs, engine.Options{Log: p.log, Console: p.console, Project: env.Project})
	if c == nil {
		return err
	}
	switch {
	case o.print:
		_, printErr := p.stdout.Write(c.YAML())
		err = errors.Join(err, printErr)
	case o.resolved:
		_, printErr := p.stdout.Write(registry.Resolved(c, env).YAML())
		err = errors.Join(err, printErr)
	case o.explain != "":
		if missing := p.explain(c, env, o.explain); missing != nil {
			return missing
		}
	}
	if err != nil {
		return err
	}
	for _, d := range report.Problems {
		p.log.Warn().Msg(d.Line())
	}
	if o == (checkOptions{}) {
		_, err = fmt.Fprintf(p.stdout, "OK %d components\n", report.Components)
	}
	return err
}

// explain prints where a value came from.
func (p *program) explain(c *config.Config, env registry.Env, path string) error {
	places, err := registry.Explain(c, env, path)
	if err != nil {
		return &engine.ConfigError{Problems: diag.AsList(err), Sources: c.Sources}
	}
	places.Render(p.stdout, c.Sources, p.console.Color() && isTerminal(p.stdout))
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
