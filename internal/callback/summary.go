package callback

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/console"
)

// ModelSummary are the arguments of Lightning's table of the model's modules.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ModelSummary.html
type ModelSummary struct {
	MaxDepth int `cfg:"max_depth" help:"how deep to list modules; -1 for all, 0 for no table"`
}

func init() {
	d := ModelSummary{MaxDepth: 1}
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.ModelSummary", d, aliases("callbacks", "model_summary", "ModelSummary")...)
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.RichModelSummary", d, aliases("callbacks", "rich_model_summary", "RichModelSummary")...)
}

// Validate checks the depth.
func (a ModelSummary) Validate() error {
	if a.MaxDepth < -1 {
		return lighter.FieldError("max_depth", "`max_depth` can be -1, 0 or > 0, got %d.", a.MaxDepth)
	}
	return nil
}

// Build makes the callback.
func (a ModelSummary) Build(env *lighter.Env) (lighter.Callback, error) {
	return &modelSummary{depth: a.MaxDepth, console: env.Console}, nil
}

type modelSummary struct {
	depth   int
	console *console.Console
}

// SummarizesModel marks it as the summary.
func (s *modelSummary) SummarizesModel() {}

// StageStart prints the table when a fit begins.
func (s *modelSummary) StageStart(t lighter.Trainer) error {
	if s.depth == 0 || t.Stage() != "fit" || s.console == nil {
		return nil
	}
	_, err := fmt.Fprintln(s.console, summarize(t.Model().Tree(), s.depth))
	return err
}

// summarize is the table as Lightning 2.6 prints it for a model without an example input, save for the FLOPs it cannot
// count then.
func summarize(model *lighter.Node, depth int) string {
	columns := [][]string{{" "}, {"Name"}, {"Type"}, {"Params"}, {"Mode"}}
	row := func(cells ...string) {
		for i, c := range cells {
			columns[i] = append(columns[i], c)
		}
	}
	modes := map[bool]int{}
	model.Walk(func(path string, n *lighter.Node) {
		if n != model {
			modes[n.Training()]++
		}
	})
	total, trainable, bytes := countParams(model)
	listed := int64(0)
	for i, m := range listedModules(model, depth) {
		n, _, _ := countParams(m.node)
		listed += n
		row(strconv.Itoa(i), m.path, m.node.Class(), humanCount(n), modeWord(m.node.Training()))
	}
	if left := total - listed; left > 0 {
		row(" ", "other params", "n/a", humanCount(left), "n/a")
	}

	var b strings.Builder
	rule := strings.Repeat("-", writeColumns(&b, columns, 0, 1)+3*(len(columns)+1))
	b.WriteString(rule + "\n")
	writeColumns(&b, columns, 1, len(columns[0]))
	b.WriteString(rule + "\n")
	for _, line := range []struct{ value, what string }{
		{humanCount(trainable), "Trainable params"},
		{humanCount(total - trainable), "Non-trainable params"},
		{humanCount(total), "Total params"},
		{withCommas(strconv.FormatFloat(float64(bytes)/1e6, 'f', 3, 64)), "Total estimated model params size (MB)"},
		{strconv.Itoa(modes[true]), "Modules in train mode"},
		{strconv.Itoa(modes[false]), "Modules in eval mode"},
	} {
		fmt.Fprintf(&b, "%-10s%s\n", line.value, line.what)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

type listedModule struct {
	path string
	node *lighter.Node
}

// listedModules are the modules inside model down to a depth, each once.
func listedModules(model *lighter.Node, depth int) []listedModule {
	var out []listedModule
	if depth == 1 { // a child that is also deeper inside an earlier one is listed all the same
		seen := map[*lighter.Node]bool{}
		for _, c := range model.Children() {
			if n := c.Module.Tree(); !seen[n] {
				seen[n] = true
				out = append(out, listedModule{c.Name, n})
			}
		}
		return out
	}
	model.Walk(func(path string, n *lighter.Node) {
		if n != model && (depth < 0 || strings.Count(path, ".") < depth) {
			out = append(out, listedModule{path, n})
		}
	})
	return out
}

func countParams(n *lighter.Node) (total, trainable, bytes int64) {
	for _, p := range n.Params() {
		numel := p.Value.Numel()
		total += numel
		bytes += numel * int64(p.Value.DType().Size())
		if p.Value.RequiresGrad() {
			trainable += numel
		}
	}
	return total, trainable, bytes
}

// writeColumns writes rows from..to of the columns, and returns the sum of the columns' widths.
func writeColumns(b *strings.Builder, columns [][]string, from, to int) int {
	widths, sum := make([]int, len(columns)), 0
	for i, c := range columns {
		for _, cell := range c {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
		sum += widths[i]
	}
	for r := from; r < to; r++ {
		for i, c := range columns {
			if i > 0 {
				b.WriteString(" | ")
			}
			fmt.Fprintf(b, "%-*s", widths[i], c[r])
		}
		b.WriteByte('\n')
	}
	return sum
}

func modeWord(training bool) string {
	if training {
		return "train"
	}
	return "eval"
}

// humanCount abbreviates as Lightning does: "123  ", "1.2 K", "400 T", "5,000 T".
func humanCount(n int64) string {
	units := []string{" ", "K", "M", "B", "T"}
	group := min((len(strconv.FormatInt(n, 10))+2)/3, len(units)) - 1
	scaled := float64(n) * math.Pow(10, float64(-3*group))
	if group < 1 || scaled >= 100 {
		return withCommas(strconv.FormatInt(int64(scaled), 10)) + " " + units[group]
	}
	return withCommas(strconv.FormatFloat(scaled, 'f', 1, 64)) + " " + units[group]
}

// withCommas puts a comma between thousands.
func withCommas(digits string) string {
	whole, rest, dot := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		whole += "." + rest
	}
	return whole
}
