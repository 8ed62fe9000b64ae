package profiler

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

// reference is testdata/profilers.json.
type reference struct {
	Simple []struct {
		Extended bool
		Stage    string
		Actions  [][2]any
		Whole    float64
		Report   string
	}
	Names   []struct{ Filename, Action, Name string }
	Numbers [][2]any
	Tables  []struct {
		Memory, Flops, Grouped bool
		Key                    string
		Rows                   int
		Kwargs                 map[string]any
		Events                 []tensor.ProfileEvent
		Table                  string
	}
}

func load(t *testing.T) (r reference) {
	t.Helper()
	b, err := os.ReadFile("testdata/profilers.json")
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSimpleReport(t *testing.T) {
	for _, c := range load(t).Simple {
		p := &simple{report: report{stage: c.Stage}, extended: c.Extended}
		for _, a := range c.Actions {
			d := &duration{name: a[0].(string)}
			for _, s := range a[1].([]any) {
				d.calls++
				d.total += time.Duration(s.(float64) * 1e9)
			}
			p.order = append(p.order, d)
		}
		if got := p.table(time.Duration(c.Whole * 1e9)); got != c.Report {
			t.Errorf("%s, extended %t: got\n%s\nwant\n%s", c.Stage, c.Extended, got, c.Report)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range load(t).Numbers {
		if got := five(c[0].(float64)); got != c[1] {
			t.Errorf("%v is written %s, want %s", c[0], got, c[1])
		}
	}
}

func TestFileNames(t *testing.T) {
	for _, c := range load(t).Names {
		r := report{stage: "fit", filename: c.Filename}
		if got := r.name(c.Action, ".txt"); got != c.Name {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

// sameTable says whether two tables are the same but for the last digit of a time, which PyTorch sums in floating-point microseconds.
func sameTable(got, want string) bool {
	a, b := strings.Split(got, " "), strings.Split(want, " ")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, unit, _ := strings.Cut(a[i], "s")
		y, other, _ := strings.Cut(b[i], "s")
		f, err := strconv.ParseFloat(strings.TrimRight(x, "mu"), 64)
		g, err2 := strconv.ParseFloat(strings.TrimRight(y, "mu"), 64)
		if a[i] != b[i] && (err != nil || err2 != nil || unit != other || math.Abs(f-g) > 0.0011) {
			return false
		}
	}
	return true
}

// The tables of operators are PyTorch's, made of the same events.
func TestTables(t *testing.T) {
	for _, c := range load(t).Tables {
		o := tableOptions{rows: c.Rows, memory: c.Memory, flops: c.Flops, shapes: c.Grouped, nameWidth: 55}
		if w, ok := c.Kwargs["max_name_column_width"].(float64); ok {
			o.nameWidth = int(w)
		}
		o.header, _ = c.Kwargs["header"].(string)
		o.unit, _ = c.Kwargs["time_unit"].(string)
		o.topLevel, _ = c.Kwargs["top_level_events_only"].(bool)
		all := averages(c.Events, c.Grouped)
		sortBy(all, c.Key)
		if got := table(all, o); !sameTable(got, c.Table) {
			t.Errorf("sorted by %s %v: got\n%s\nwant\n%s", c.Key, c.Kwargs, got, c.Table)
		}
	}
}

func build(t *testing.T, args map[string]any) (lighter.Profiler, *bytes.Buffer, error) {
	t.Helper()
	var out bytes.Buffer
	c, problems := config.Compose(map[string]any{"x": args})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	env := registry.Env{Stage: "fit", Log: zerolog.New(&out), Console: console.New(&out, false, false)}
	p, err := registry.Get[lighter.Profiler](registry.NewBuild(c, env), "x")
	return p, &out, err
}

func mustBuild(t *testing.T, args map[string]any) (lighter.Profiler, *bytes.Buffer) {
	t.Helper()
	p, out, err := build(t, args)
	if err != nil {
		t.Fatal(err)
	}
	return p, out
}

func TestSimpleMeasures(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args map[string]any
		file string
	}{
		{map[string]any{}, ""},
		{map[string]any{"filename": "perf"}, filepath.Join(dir, "run", "fit-perf.txt")},
		{map[string]any{"filename": "perf", "dirpath": filepath.Join(dir, "given")}, filepath.Join(dir, "given", "fit-perf.txt")},
	} {
		c.args["_target_"] = "pytorch_lightning.profilers.SimpleProfiler"
		p, out := mustBuild(t, c.args)
		if err := p.Setup(&callbacktest.Trainer{Dir: filepath.Join(dir, "run")}); err != nil {
			t.Fatal(err)
		}
		p.Stop("never begun")
		for range 3 {
			p.Start("outer")
			p.Start("inner")
			p.Stop("inner")
			p.Stop("outer")
		}
		p.Start("left open by an error")
		if err := p.Describe(); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if c.file != "" {
			b, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			if text != "" {
				t.Errorf("%v: it also prints %q", c.args, text)
			}
			text = string(b)
		}
		if !strings.HasPrefix(text, "FIT Profiler Report\n") || strings.Count(text, "|  3  ") != 2 || strings.Contains(text, "left open") || strings.Contains(text, "never") {
			t.Errorf("%v: got\n%s", c.args, text)
		}
	}
}

// An action costs no allocation once it was seen.
func TestSimpleAllocatesNothing(t *testing.T) {
	p, _ := mustBuild(t, map[string]any{"_target_": "pytorch_lightning.profilers.SimpleProfiler"})
	if err := p.Setup(&callbacktest.Trainer{}); err != nil {
		t.Fatal(err)
	}
	p.Start("a")
	p.Stop("a")
	if n := testing.AllocsPerRun(100, func() { p.Start("a"); p.Stop("a") }); n > 0 {
		t.Errorf("%v allocations an action", n)
	}
}

func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		want string
	}{
		{Schedule{Wait: 1, Warmup: 1, Active: 3}, "-wrrs----"},
		{Schedule{Active: 1}, "s--------"},
		{Schedule{Wait: 1, Active: 2, Repeat: 2}, "-rs-rs---"},
		{Schedule{Wait: 1, Warmup: 1, Active: 1, SkipFirst: 2}, "---ws----"},
		{Schedule{Wait: 3, Warmup: 1, Active: 1, SkipFirst: 2, SkipWait: 1}, "--ws-----"},
	} {
		got := ""
		for n := range c.want {
			got += string("-wrs"[c.s.at(n)])
		}
		if got != c.want {
			t.Errorf("%+v: got %s, want %s", c.s, got, c.want)
		}
	}
}

// step is a step of a small model under the names that the engine gives.
func step(t *testing.T, p lighter.Profiler, net lighter.Module) {
	t.Helper()
	s := tensor.Open()
	defer s.Close()
	b := p.(lighter.BatchProfiler)
	b.BatchStart()
	p.Start("run_training_batch")
	net.Forward(tensor.Ones([]int64{3, 4}, tensor.Float32, tensor.Device{}))
	p.Stop("run_training_batch")
	if err := b.BatchEnd(); err != nil {
		t.Fatal(err)
	}
}

// model is a module with one layer inside.
type model struct {
	lighter.Node
	lighter.Model
	layer lighter.Module
}

func (m *model) Tree() *lighter.Node { return &m.Node }

func (m *model) Forward(in ...lighter.Value) lighter.Value {
	m.Enter(0)
	defer m.Leave()
	return m.layer.Forward(in...)
}

type double struct{ lighter.Node }

func (*double) Forward(in ...lighter.Value) lighter.Value { return in[0].(tensor.Tensor).MulScalar(2) }

// A run of ten steps of training leaves a Chrome trace of the three that the schedule asks for, with the layers' names, and a table.
func TestPyTorchTrace(t *testing.T) {
	tensortest.Scope(t)
	dir := t.TempDir()
	p, out := mustBuild(t, map[string]any{"_target_": "pytorch_lightning.profilers.PyTorchProfiler", "dirpath": dir, "record_shapes": true})
	layer := &double{}
	layer.SetClass("test.Double")
	net := &model{layer: layer}
	net.Add("layer", layer)
	if err := p.Setup(&callbacktest.Trainer{InMode: lighter.Train, Batches: 10, Network: net}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		step(t, p, net)
	}
	if err := p.Describe(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, `fit-\[Strategy\]SingleDeviceStrategy.training_step.*.pt.trace.json`))
	if len(files) != 1 {
		t.Fatalf("%d traces, want one", len(files))
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var trace struct {
		TraceEvents []struct {
			Ph, Cat, Name string
			Ts, Dur       float64
		}
	}
	if err := json.Unmarshal(b, &trace); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, e := range trace.TraceEvents {
		if e.Ph == "X" && e.Dur >= 0 {
			counts[e.Cat+" "+e.Name]++
		}
	}
	for name, want := range map[string]int{
		"user_annotation [pl][module]test.Double: layer": 3, "user_annotation [pl][profile]run_training_batch": 3,
		"user_annotation ProfilerStep#2": 1, "user_annotation ProfilerStep#4": 1, "user_annotation ProfilerStep#5": 0,
	} {
		if counts[name] != want {
			t.Errorf("the trace has %s %d times, want %d", name, counts[name], want)
		}
	}
	if counts["cpu_op aten::mul"] < 3 {
		t.Errorf("the trace has %d of the layer's operators", counts["cpu_op aten::mul"])
	}
	for _, want := range []string{"FIT Profiler Report\nProfile stats for: training_step\n", "test.Double: layer", "aten::mul", "ProfilerStep*", "CPU time avg    # of Calls"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, out)
		}
	}
}

// Fewer than five steps are all recorded; those of the sanity check and those of another kind's window count for nothing.
func TestPyTorchFewSteps(t *testing.T) {
	tensortest.Scope(t)
	dir := t.TempDir()
	p, out := mustBuild(t, map[string]any{"_target_": "pytorch_lightning.profilers.PyTorchProfiler", "dirpath": dir, "record_module_names": false})
	layer := &double{}
	trainer := &callbacktest.Trainer{InMode: lighter.Val, Batches: 2, Sanity: true}
	if err := p.Setup(trainer); err != nil {
		t.Fatal(err)
	}
	step(t, p, layer)
	trainer.Sanity, trainer.InMode = false, lighter.Train
	step(t, p, layer)
	trainer.InMode = lighter.Val
	step(t, p, layer)
	trainer.InMode = lighter.Train
	step(t, p, layer)
	if err := p.Describe(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(files) != 1 {
		t.Errorf("%d traces, want one: %v", len(files), files)
	}
	if text := out.String(); !strings.Contains(text, "not enough steps") || strings.Contains(text, "validation_step") {
		t.Errorf("it prints\n%s", text)
	}
}

func TestPyTorchBadArguments(t *testing.T) {
	for _, c := range []struct {
		args map[string]any
		want string
	}{
		{map[string]any{"sort_by_key": "gpu"}, "Found sort_by_key: gpu. Should be within count, cpu_memory_usage, cpu_time"},
		{map[string]any{"with_stack": true}, "there is no Python here"},
		{map[string]any{"emit_nvtx": true}, "emit_nvtx of pytorch_lightning.profilers.PyTorchProfiler: is not available"},
		{map[string]any{"row_limit": -2}, "must be at least -1"},
		{map[string]any{"activities": []any{"tpu"}}, `there are cpu and cuda, got "tpu"`},
		{map[string]any{"table_kwargs": map[string]any{"sort_by": "x"}}, "found invalid table_kwargs key: sort_by. This is already a positional argument"},
		{map[string]any{"table_kwargs": map[string]any{"width": 3}}, "found invalid table_kwargs key: width. Should be within"},
		{map[string]any{"schedule": map[string]any{"_target_": "torch.profiler.schedule", "wait": 0, "warmup": 0, "active": 0}}, "active of torch.profiler.schedule: must be at least 1"},
	} {
		c.args["_target_"] = "pytorch_lightning.profilers.PyTorchProfiler"
		if _, _, err := build(t, c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.args, err, c.want)
		}
	}
}
