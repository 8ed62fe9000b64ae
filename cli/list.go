package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
)

func (p *program) listCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "list [KIND | TARGET | PACKAGE]", Short: "List the components and their arguments",
		Long: "List what a `_target_` can name: everything, the components of a kind or a package, or one with its arguments.",
		Example: `  lighter list
  lighter list optimizer
  lighter list torch.nn
  lighter list torch.optim.Adam
  lighter list --json`,
		SuggestFor: []string{"ls", "components", "show", "describe"}, GroupID: otherGroup,
		DisableFlagsInUseLine: true, Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			words := slices.DeleteFunc(append(kinds(), registry.Names()...), func(s string) bool { return !strings.HasPrefix(s, toComplete) })
			return words, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with every argument")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		name := ""
		if len(args) > 0 {
			name = args[0]
		}
		chosen, err := choose(name)
		switch {
		case err != nil:
			p.started = false
			return &usageError{cmd: cmd, err: fmt.Errorf("%s", err.msg), hint: err.hint}
		case asJSON:
			return p.listJSON(chosen)
		case len(chosen) == 1 && name != "":
			chosen[0].Describe().Text(p.stdout)
			return nil
		}
		p.listKinds(chosen)
		return nil
	}
	return cmd
}

// kinds are the names of the kinds, as they are typed.
func kinds() []string {
	found := map[string]bool{}
	for _, e := range registry.All() {
		found[strings.ToLower(registry.KindOf(e))] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// unknownName is a name that `lighter list` has nothing of.
type unknownName struct{ msg, hint string }

// choose gives the components that a name means: all for "", one for a target, else those of a kind or a package.
func choose(name string) ([]*registry.Entry, *unknownName) {
	if e, ok := registry.Lookup(name); ok {
		return []*registry.Entry{e}, nil
	}
	var chosen []*registry.Entry
	kind := strings.ToLower(name)
	for _, e := range registry.All() {
		k := strings.ToLower(registry.KindOf(e))
		if name == "" || kind == k || kind == k+"s" || strings.HasPrefix(e.Target, strings.TrimSuffix(name, ".")+".") {
			chosen = append(chosen, e)
		}
	}
	if len(chosen) > 0 {
		return chosen, nil
	}
	if near := diag.Nearest(name, kinds(), 1); len(near) > 0 && !strings.Contains(name, ".") {
		return nil, &unknownName{fmt.Sprintf("there is no kind %q", name), fmt.Sprintf("did you mean %q?", near[0])}
	}
	msg, hint := registry.Unknown(name)
	if !strings.Contains(name, ".") && strings.HasPrefix(hint, "`lighter list`") {
		hint = "the kinds are " + strings.Join(kinds(), ", ")
	}
	return nil, &unknownName{msg, hint}
}

// listKinds prints the targets by kind.
func (p *program) listKinds(entries []*registry.Entry) {
	byKind := map[string][]string{}
	for _, e := range entries {
		k := registry.KindOf(e)
		line := e.Target
		if !e.Own() {
			line += "  (from " + e.Source() + ")"
		}
		byKind[k] = append(byKind[k], line)
	}
	for i, k := range slices.Sorted(maps.Keys(byKind)) {
		if i > 0 {
			fmt.Fprintln(p.stdout)
		}
		fmt.Fprintf(p.stdout, "%s\n  %s\n", k, strings.Join(byKind[k], "\n  "))
	}
}

func (p *program) listJSON(entries []*registry.Entry) error {
	all := make([]registry.Description, len(entries))
	for i, e := range entries {
		all[i] = e.Describe()
	}
	enc := json.NewEncoder(p.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}
