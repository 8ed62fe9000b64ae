package profiler

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lighter-go/lighter"
)

// SimpleProfiler is pytorch_lightning.profilers.SimpleProfiler: how often and how long each action ran.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.profilers.SimpleProfiler.html
type SimpleProfiler struct {
	Dirpath  *string `cfg:"dirpath" help:"folder of the file; the run's folder when null"`
	Filename *string `cfg:"filename" help:"write the report to <stage>-<filename>.txt instead of printing it"`
	Extended bool    `cfg:"extended" help:"also the number of calls and the share of the time"`
}

func init() {
	lighter.Register[lighter.Profiler]("pytorch_lightning.profilers.SimpleProfiler", SimpleProfiler{Extended: true}, aliases("simple", "SimpleProfiler")...)
	lighter.Register[lighter.Profiler]("pytorch_lightning.profilers.PassThroughProfiler", PassThroughProfiler{}, aliases("base", "PassThroughProfiler")...)
}

// aliases are the other places that a class of Lightning's profilers is known by.
func aliases(module, class string) []string {
	var names []string
	for _, top := range []string{"pytorch_lightning", "lightning.pytorch"} {
		names = append(names, top+".profilers."+module+"."+class)
	}
	return append(names, "lightning.pytorch.profilers."+class)
}

// Build makes the profiler.
func (c SimpleProfiler) Build(env *lighter.Env) (lighter.Profiler, error) {
	return &simple{report: report{dirpath: orEmpty(c.Dirpath), filename: orEmpty(c.Filename), console: env.Console}, extended: c.Extended, actions: map[string]*duration{}}, nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

type simple struct {
	report
	extended bool
	began    time.Time
	actions  map[string]*duration
	order    []*duration // by the end of their first call, for actions that took equally long
}

// duration sums the calls of an action.
type duration struct {
	name  string
	began time.Time // zero when it is not under way
	calls int
	total time.Duration
}

// Setup implements [lighter.Profiler].
func (p *simple) Setup(t lighter.Trainer) error {
	p.setup(t)
	p.began = time.Now()
	return nil
}

// Start implements [lighter.Profiler].
func (p *simple) Start(action string) {
	d := p.actions[action]
	if d == nil {
		d = &duration{name: action}
		p.actions[action] = d
	}
	d.began = time.Now()
}

// Stop implements [lighter.Profiler].
func (p *simple) Stop(action string) {
	d := p.actions[action]
	if d == nil || d.began.IsZero() {
		return
	}
	d.total += time.Since(d.began)
	d.began = time.Time{}
	if d.calls++; d.calls == 1 {
		p.order = append(p.order, d)
	}
}

// Describe implements [lighter.Profiler].
func (p *simple) Describe() error {
	return p.write(p.table(time.Since(p.began)))
}

// table is Lightning's report.
func (p *simple) table(whole time.Duration) string {
	header := []string{"Action", "Mean duration (s)"}
	var rows [][]string
	mean := func(d *duration) float64 { return d.total.Seconds() / float64(d.calls) }
	calls := 0
	sorted := slices.Clone(p.order)
	if p.extended {
		header = append(header, "Num calls", "Total time (s)", "Percentage %")
		slices.SortStableFunc(sorted, func(a, b *duration) int { return int(b.total - a.total) })
		for _, d := range sorted {
			calls += d.calls
			rows = append(rows, []string{d.name, five(mean(d)), strconv.Itoa(d.calls), five(d.total.Seconds()), five(100 * d.total.Seconds() / whole.Seconds())})
		}
	} else {
		header = append(header, "Total time (s)")
		slices.SortStableFunc(sorted, func(a, b *duration) int {
			switch ma, mb := mean(a), mean(b); {
			case ma > mb:
				return -1
			case ma < mb:
				return 1
			}
			return 0
		})
		for _, d := range sorted {
			rows = append(rows, []string{d.name, five(mean(d)), five(d.total.Seconds())})
		}
	}
	widest := 0
	for _, r := range rows {
		widest = max(widest, utf8.RuneCountInString(r[0]))
	}
	line := func(cells []string) string {
		s := fmt.Sprintf("\n|  %-*s\t|", widest, cells[0])
		for _, c := range cells[1:] {
			s += fmt.Sprintf("  %-15s\t|", c)
		}
		return s
	}
	rule := "\n" + strings.Repeat("-", width(line(header)))
	var b strings.Builder
	b.WriteString(strings.ToUpper(p.stage) + " Profiler Report\n")
	b.WriteString(rule + line(header) + rule)
	if p.extended {
		b.WriteString(line([]string{"Total", "-", strconv.Itoa(calls), five(whole.Seconds()), "100 %"}) + rule)
	}
	for _, r := range rows {
		b.WriteString(line(r))
	}
	if len(rows) > 0 || p.extended {
		b.WriteString(rule)
	}
	b.WriteString("\n")
	return b.String()
}

// width is how many columns a line takes, its line break counted as one, with tabs to every eighth column.
func width(line string) int {
	n, column := 0, 0
	for _, r := range line {
		switch r {
		case '\n':
			n, column = n+1, 0
		case '\t':
			step := 8 - column%8
			n, column = n+step, column+step
		default:
			n, column = n+1, column+1
		}
	}
	return n
}

// five is a number with five digits, as Python's format(x, ".5") has it.
func five(x float64) string {
	s := strconv.FormatFloat(x, 'e', 4, 64)
	mantissa, exponent, ok := strings.Cut(s, "e")
	if !ok {
		return strings.ToLower(strings.TrimPrefix(s, "+"))
	}
	e, _ := strconv.Atoi(exponent)
	trimmed := func(s string) string { return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") }
	if e < -4 || e >= 4 {
		return trimmed(mantissa) + "e" + exponent
	}
	s = trimmed(strconv.FormatFloat(x, 'f', 4-e, 64))
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// PassThroughProfiler is Lightning's profiler that does nothing.
type PassThroughProfiler struct{}

// Build gives none: a run without a profiler costs nothing.
func (PassThroughProfiler) Build(*lighter.Env) (lighter.Profiler, error) { return passThrough{}, nil }

type passThrough struct{}

// Setup implements [lighter.Profiler].
func (passThrough) Setup(lighter.Trainer) error { return nil }

// Start implements [lighter.Profiler].
func (passThrough) Start(string) {}

// Stop implements [lighter.Profiler].
func (passThrough) Stop(string) {}

// Describe implements [lighter.Profiler].
func (passThrough) Describe() error { return nil }
