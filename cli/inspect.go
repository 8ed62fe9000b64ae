package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/checkpoint"
	"github.com/lighter-go/lighter/internal/engine"
)

func (p *program) inspectCommand() *cobra.Command {
	asJSON, asConfig := false, false
	cmd := &cobra.Command{
		Use: "inspect FILE [flags]", Short: "List what a checkpoint holds, and verify it",
		Long: `List what a .ckpt, .pt, .pth or .safetensors holds: its weights with their shapes and types, and of a checkpoint the epoch,
the optimizer, schedulers, callbacks and hyper-parameters. All of the file is read, and every checksum it has is
verified: a damaged file ends with exit code 6 and the name of the record. Nothing in the file is run.`,
		Example: `  lighter inspect checkpoints/last.ckpt
  lighter inspect checkpoints/last.ckpt --config > config.yaml
  lighter inspect resnet18.pth --json | jq .elements`,
		SuggestFor: []string{"info", "verify", "cat", "view"}, GroupID: otherGroup, DisableFlagsInUseLine: true,
		Args:              oneFile,
		ValidArgsFunction: completeFiles(weightFiles...),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&asConfig, "config", false, "print the configuration it holds, as YAML, and nothing else")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if asJSON && asConfig {
			p.started = false
			return &usageError{cmd: cmd, err: errors.New("--json and --config are two things to print: choose one")}
		}
		if asConfig {
			text, err := engine.ConfigOf(args[0])
			if err == nil {
				_, err = p.stdout.Write(text)
			}
			return err
		}
		r, err := inspect(args[0])
		if err != nil {
			return &engine.Error{Code: engine.ExitCheckpoint, Err: fmt.Errorf("inspect: %w", err)}
		}
		if asJSON {
			enc := json.NewEncoder(p.stdout)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			return enc.Encode(r)
		}
		return printReport(p.stdout, r)
	}
	return cmd
}

func inspect(path string) (*checkpoint.Report, error) {
	f, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Report()
}

// printReport writes a report as aligned columns, which people read and cut and awk split.
func printReport(out io.Writer, r *checkpoint.Report) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	row := func(cells ...any) {
		texts := make([]string, len(cells))
		for i, c := range cells {
			texts[i] = shown(c)
		}
		fmt.Fprintln(w, strings.Join(texts, "\t"))
	}
	section := func(title string) {
		w.Flush()
		fmt.Fprintf(out, "\n%s\n", title)
	}
	row("file", r.Path)
	row("kind", r.Kind)
	row("format", r.Format+", "+byteText(r.Bytes))
	row("verified", verified(r))
	if r.WeightsKey != "" {
		row("weights in", r.WeightsKey)
	}
	if r.Version != "" {
		row("Lightning", r.Version)
	}
	if r.Epoch != nil {
		row("epoch", *r.Epoch)
	}
	if r.GlobalStep != nil {
		row("global step", *r.GlobalStep)
	}
	if r.Kind == checkpoint.Lightning {
		row("resumable", map[bool]string{true: "yes", false: "no: it was saved with weights only"}[r.Resumable])
	}
	if len(r.Keys) > 0 {
		row("other keys", strings.Join(r.Keys, ", "))
	}
	for _, k := range slices.Sorted(maps.Keys(r.Metadata)) {
		row("metadata", k+"="+r.Metadata[k])
	}
	section("Weights")
	for _, t := range r.Tensors {
		note := byteText(t.Bytes)
		if t.SameAs != "" {
			note = "same as " + t.SameAs
		}
		row("  "+shown(t.Name), shapeText(t.Shape), t.DType, note)
	}
	w.Flush()
	fmt.Fprintf(out, "  total: %d tensors, %d elements, %s%s\n", len(r.Tensors), r.Elements, byteText(r.WeightBytes), byType(r))
	if len(r.Others) > 0 {
		fmt.Fprintf(out, "  not tensors: %s\n", shown(strings.Join(r.Others, ", ")))
	}
	printState(r, row, section)
	return w.Flush()
}

// printState writes what a checkpoint holds beside weights.
func printState(r *checkpoint.Report, row func(...any), section func(string)) {
	for i, o := range r.Optimizers {
		section(fmt.Sprintf("Optimizer %d: state of %d parameters, %s (%s)", i, o.States, byteText(o.Bytes), shown(strings.Join(o.Names, ", "))))
		for j, g := range o.Groups {
			options := make([]string, 0, len(g.Options))
			for _, k := range g.Order() {
				options = append(options, fmt.Sprintf("%s=%s", shown(k), valueText(g.Options[k])))
			}
			row(fmt.Sprintf("  group %d", j), fmt.Sprintf("%d parameters", g.Parameters), strings.Join(options, " "))
		}
	}
	for i, s := range r.Schedulers {
		section(fmt.Sprintf("Scheduler %d", i))
		printFields(row, s)
	}
	for _, c := range r.Callbacks {
		section("Callback " + shown(c.Key))
		if fields, ok := c.State.(map[string]any); ok {
			printFields(row, fields)
		} else {
			row("  " + valueText(c.State))
		}
	}
	if r.HyperParameters == nil {
		return
	}
	fields, ok := r.HyperParameters.(map[string]any)
	if _, own := fields["config"]; ok && own {
		section("Configuration: --config prints it")
		return
	}
	section("Hyper-parameters")
	if ok {
		printFields(row, fields)
	} else {
		row("  " + valueText(r.HyperParameters))
	}
}

func printFields(row func(...any), fields map[string]any) {
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		row("  "+shown(k), valueText(fields[k]))
	}
}

// maxValue is how much of a value is shown; --json has all of it.
const maxValue = 100

// valueText is a value on one line, as JSON.
func valueText(v any) string {
	if text, ok := v.(string); ok {
		return cut(shown(text))
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return cut(string(b))
}

func cut(s string) string {
	r := []rune(s)
	if len(r) <= maxValue {
		return s
	}
	return string(r[:maxValue-3]) + "..."
}

// shown is a text of a file, quoted if a terminal would not print it as it is.
func shown(v any) string {
	text, ok := v.(string)
	if !ok {
		return fmt.Sprint(v)
	}
	if q := strconv.Quote(text); strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return q
	}
	return text
}

func verified(r *checkpoint.Report) string {
	if r.Records > 0 {
		return fmt.Sprintf("the checksums of all %d records", r.Records)
	}
	return "sizes and places; the format has no checksums"
}

// shapeText is a shape as PyTorch writes it.
func shapeText(shape []int64) string {
	return strings.ReplaceAll(fmt.Sprint(shape), " ", ", ")
}

// byType counts elements by type where there are several.
func byType(r *checkpoint.Report) string {
	if len(r.DTypes) < 2 {
		return ""
	}
	var parts []string
	for _, d := range slices.Sorted(maps.Keys(r.DTypes)) {
		parts = append(parts, fmt.Sprintf("%s %d", d, r.DTypes[d]))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
