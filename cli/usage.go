package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lighter-go/lighter/internal/diag"
)

var errNoCommand = errors.New("a command is missing: fit, validate, test or predict")

// spelling lets Lighter's options be written with hyphens and the others with underscores.
func spelling(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch s := strings.ReplaceAll(name, "-", "_"); s {
	case "ckpt_path", "weights_only", "return_predictions":
		return pflag.NormalizedName(s)
	case "no_return_predictions":
		return "no-return_predictions"
	}
	return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
}

// switchVar defines --name and --no-name, the later of which counts.
func switchVar(flags *pflag.FlagSet, v *bool, name string, value bool, usage string) {
	flags.BoolVar(v, name, value, usage)
	off := flags.VarPF((*negation)(v), "no-"+name, "", "")
	off.NoOptDefVal = "true"
	off.Hidden = true
}

// negation is a switch that stores the opposite of what it is set to.
type negation bool

func (n *negation) Set(s string) error {
	v, err := strconv.ParseBool(s)
	*n = negation(!v)
	return err
}
func (n *negation) String() string { return strconv.FormatBool(!bool(*n)) }
func (n *negation) Type() string   { return "bool" }

// usageError is a mistake in the arguments of a command.
type usageError struct {
	cmd  *cobra.Command
	hint string
	err  error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// flagError adds what was likely meant to an unknown flag.
func flagError(cmd *cobra.Command, err error) error {
	e := &usageError{cmd: cmd, err: err}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return e
	}
	name := unknown.GetSpecifiedName()
	if strings.Contains(name, "::") {
		e.hint = fmt.Sprintf("an override has no dashes: %s=VALUE", name)
		return e
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := diag.Nearest(name, names, 1); len(near) > 0 {
		e.hint = fmt.Sprintf("did you mean --%s?", near[0])
	}
	return e
}

// reportUsage says what is wrong with the arguments.
func (p *program) reportUsage(err error) {
	cmd, hint := "lighter", ""
	var e *usageError
	if errors.As(err, &e) {
		cmd, hint = e.cmd.CommandPath(), e.hint
	}
	msg, suggestion, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n\nDid you mean this?\n")
	if near := strings.Fields(suggestion); len(near) > 0 { // cobra's own, for a command
		hint = fmt.Sprintf("did you mean %q?", strings.Join(near, `" or "`))
	}
	if p.json {
		event := p.log.Error().Int("exit_code", 2)
		if hint != "" {
			event.Str("hint", hint)
		}
		event.Msg(msg)
		return
	}
	fmt.Fprintf(p.console, "%s %s\n", p.errorWord(), msg)
	if hint != "" {
		fmt.Fprintf(p.console, "   %s\n", hint)
	}
	if !errors.Is(err, errNoCommand) {
		fmt.Fprintf(p.console, "   %s --help says what there is\n", cmd)
	}
}
