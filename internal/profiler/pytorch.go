package profiler

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// PyTorchProfiler is pytorch_lightning.profilers.PyTorchProfiler: libtorch's profiler over some steps of each kind.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.profilers.PyTorchProfiler.html
type PyTorchProfiler struct {
	Dirpath            *string   `cfg:"dirpath" help:"folder of the traces and of the file; the run's folder when null"`
	Filename           *string   `cfg:"filename" help:"write the report to <stage>-<filename>.txt instead of printing it"`
	GroupByInputShapes bool      `cfg:"group_by_input_shapes" help:"a row for each shape of inputs; needs record_shapes"`
	EmitNVTX           bool      `cfg:"emit_nvtx" help:"not available"`
	ExportToChrome     bool      `cfg:"export_to_chrome" help:"write a trace for chrome://tracing or ui.perfetto.dev"`
	RowLimit           int       `cfg:"row_limit" help:"rows of the table; -1 for all"`
	SortByKey          *string   `cfg:"sort_by_key" help:"what the table is sorted by; cuda_time_total on a GPU, else cpu_time_total"`
	RecordModuleNames  bool      `cfg:"record_module_names" help:"put operators under the layers that call them"`
	TableKwargs        tableArgs `cfg:"table_kwargs" help:"header, time_unit, max_name_column_width, top_level_events_only of the table"`
	Schedule           *Schedule `cfg:"schedule" help:"which steps are recorded; wait 1, warm up in 1, record 3 when null"`
	Activities         []string  `cfg:"activities" help:"cpu, cuda; both when null and a GPU is used"`
	RecordShapes       bool      `cfg:"record_shapes" help:"record the shapes of operators' inputs"`
	ProfileMemory      bool      `cfg:"profile_memory" help:"record allocations"`
	WithFLOPs          bool      `cfg:"with_flops" help:"estimate the operations of matrix products and convolutions; needs record_shapes"`
	WithStack          bool      `cfg:"with_stack" help:"not available"`
	ExportToFlameGraph bool      `cfg:"export_to_flame_graph" help:"not available"`
	OnTraceReady       any       `cfg:"on_trace_ready" help:"not available: traces are written as export_to_chrome says"`
	WithModules        any       `cfg:"with_modules,ignored" help:"only TorchScript's modules have what it records"`
	Metric             any       `cfg:"metric,ignored" help:"of a flame graph"`
	UseCUDA            any       `cfg:"use_cuda,ignored" help:"deprecated: activities says it"`
	UseCPU             any       `cfg:"use_cpu,ignored" help:"deprecated: activities says it"`
	AccEvents          any       `cfg:"acc_events,ignored" help:"the table has the events of every recording"`
	ExperimentalConfig any       `cfg:"experimental_config,ignored" help:"options of libkineto"`
}

func init() {
	lighter.Register[lighter.Profiler]("pytorch_lightning.profilers.PyTorchProfiler",
		PyTorchProfiler{ExportToChrome: true, RowLimit: 20, RecordModuleNames: true, TableKwargs: tableArgs{nameWidth: 55}}, aliases("pytorch", "PyTorchProfiler")...)
	for _, a := range []string{"CPU", "CUDA"} {
		registry.Constant("torch.profiler.ProfilerActivity."+a, strings.ToLower(a))
	}
}

// Doc is the reference's text.
func (PyTorchProfiler) Doc() string {
	return `libtorch's own profiler: which operators and layers the time goes to. It records a few steps of each kind (training, validation,
test, prediction), writes a Chrome trace of each (` + "`<stage>-[Strategy]SingleDeviceStrategy.training_step.<time>.pt.trace.json`" + `, for
https://ui.perfetto.dev), and at the end prints a table of operators, as torch.profiler's key_averages().table() does. A step goes
from asking for its batch to the end of its update. With fewer than five steps all are recorded.`
}

// Validate refuses what needs Python.
func (c PyTorchProfiler) Validate() error {
	python := func(name, why string) error {
		return lighter.FieldError(name, "is not available: %s", why)
	}
	switch {
	case c.EmitNVTX:
		return python("emit_nvtx", "leave it out, and activities: [cuda] records kernels in the trace")
	case c.WithStack:
		return python("with_stack", "it records Python's stack, and there is no Python here; record_module_names names the layers")
	case c.ExportToFlameGraph:
		return python("export_to_flame_graph", "it draws Python's stack, and there is no Python here")
	case c.OnTraceReady != nil:
		return python("on_trace_ready", "the trace is written to dirpath")
	case c.RowLimit < -1:
		return lighter.FieldError("row_limit", "must be at least -1, got %d", c.RowLimit)
	case c.SortByKey != nil && sortKeys[*c.SortByKey] == nil:
		return lighter.FieldError("sort_by_key", "Found sort_by_key: %s. Should be within %s", *c.SortByKey, strings.Join(slices.Sorted(maps.Keys(sortKeys)), ", "))
	case c.Activities != nil && len(c.Activities) == 0:
		return lighter.FieldError("activities", "must name cpu, cuda or both")
	}
	for _, a := range c.Activities {
		if a := activity(a); a != "cpu" && a != "cuda" {
			return lighter.FieldError("activities", "there are cpu and cuda, got %q", a)
		}
	}
	return nil
}

// activity is the last part of torch.profiler.ProfilerActivity.CUDA.
func activity(name string) string {
	return strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
}

// Build makes the profiler.
func (c PyTorchProfiler) Build(env *lighter.Env) (lighter.Profiler, error) {
	p := &pytorch{arguments: c, report: report{dirpath: orEmpty(c.Dirpath), filename: orEmpty(c.Filename), console: env.Console}, log: env.Log, owner: none}
	p.schedule = c.Schedule
	if p.schedule == nil {
		p.schedule = &Schedule{Wait: 1, Warmup: 1, Active: 3}
	}
	return p, nil
}

// steps are Lightning's names of what a window records.
var steps = [...]string{"training_step", "validation_step", "test_step", "predict_step"}

const none lighter.Mode = -1

// pytorch records windows of steps. One window is open at a time: steps of another kind within it belong to it.
type pytorch struct {
	report
	arguments PyTorchProfiler
	schedule  *Schedule
	log       zerolog.Logger
	trainer   lighter.Trainer
	config    tensor.Profile

	kinds [len(steps)]kind
	owner lighter.Mode // whose window is open
	ready bool         // the profiler was prepared
	open  []string     // the records under way

	layers map[*lighter.Node][]string // the record of each child, by its place
}

// kind is where the steps of one kind stand.
type kind struct {
	n        int
	schedule *Schedule
	events   []tensor.ProfileEvent
}

var _ lighter.BatchProfiler = (*pytorch)(nil)

// Setup implements [lighter.Profiler].
func (p *pytorch) Setup(t lighter.Trainer) error {
	p.setup(t)
	p.trainer = t
	p.config = tensor.Profile{Shapes: p.arguments.RecordShapes || p.arguments.GroupByInputShapes, Memory: p.arguments.ProfileMemory, FLOPs: p.arguments.WithFLOPs, CUDA: tensor.DeviceCount() > 0}
	if p.arguments.Activities != nil {
		p.config.CUDA = p.config.CUDA && slices.ContainsFunc(p.arguments.Activities, func(a string) bool { return activity(a) == "cuda" })
	}
	if p.arguments.ExportToChrome && p.dirpath == "" {
		p.log.Warn().Msg("The PyTorchProfiler failed to export trace as `dirpath` is None: there is no run folder; set dirpath of the profiler")
	}
	return nil
}

// Start implements [lighter.Profiler].
func (p *pytorch) Start(action string) {
	if p.owner != none {
		p.begin("[pl][profile]" + action)
	}
}

// Stop implements [lighter.Profiler].
func (p *pytorch) Stop(action string) {
	if p.owner != none {
		p.end("[pl][profile]" + action)
	}
}

func (p *pytorch) begin(record string) {
	tensor.RecordBegin(record)
	p.open = append(p.open, record)
}

// end closes a record, and those inside it that an error left open. One that began before the window is not known.
func (p *pytorch) end(record string) {
	if at := slices.Index(p.open, record); at >= 0 {
		p.endFrom(at)
	}
}

func (p *pytorch) endFrom(at int) {
	for range p.open[at:] {
		tensor.RecordEnd()
	}
	p.open = p.open[:at]
}

// current is the kind of the step under way, nil when it counts for nothing: in the sanity check, in another kind's window.
func (p *pytorch) current() *kind {
	m := p.trainer.Mode()
	if p.trainer.SanityChecking() || p.owner != none && p.owner != m {
		return nil
	}
	k := &p.kinds[m]
	if k.schedule == nil {
		k.schedule = p.schedule
		if total := p.trainer.NumBatches(); p.arguments.Schedule == nil && total >= 0 && total < 5 {
			p.log.Warn().Msgf("The PyTorch Profiler default schedule will be overridden as there is not enough steps to properly record traces: all %d are recorded.", total)
			k.schedule = &Schedule{Active: total}
		}
	}
	return k
}

// BatchStart implements [lighter.BatchProfiler].
func (p *pytorch) BatchStart() {
	k := p.current()
	if k == nil {
		return
	}
	switch k.schedule.at(k.n) {
	case warming:
		if !p.ready {
			p.config.Prepare()
			p.ready = true
		}
	case recording, saving:
		if p.owner == none {
			p.start()
		}
		p.begin(fmt.Sprintf("ProfilerStep#%d", k.n))
	}
}

// BatchEnd implements [lighter.BatchProfiler].
func (p *pytorch) BatchEnd() error {
	k := p.current()
	if k == nil {
		return nil
	}
	p.endFrom(0)
	last := k.schedule.at(k.n) == saving
	k.n++
	if last && p.owner != none {
		return p.stop()
	}
	return nil
}

// start opens a window.
func (p *pytorch) start() {
	if !p.ready {
		p.config.Prepare()
	}
	p.config.Start()
	p.owner, p.ready = p.trainer.Mode(), false
	if p.arguments.RecordModuleNames && p.trainer.Model() != nil {
		p.name(p.trainer.Model().Tree())
		p.trainer.Model().Tree().Observe(p)
	}
}

// stop closes the window and writes its trace.
func (p *pytorch) stop() (err error) {
	defer tensor.Recover(&err)
	kind := &p.kinds[p.owner]
	step := steps[p.owner]
	p.endFrom(0)
	p.owner = none
	if p.trainer.Model() != nil {
		p.trainer.Model().Tree().Observe(nil)
	}
	path := ""
	if p.arguments.ExportToChrome && p.dirpath != "" {
		if err := os.MkdirAll(p.dirpath, 0o777); err != nil {
			return fmt.Errorf("profiler: %w", err)
		}
		path = filepath.Join(p.dirpath, p.report.name("[Strategy]SingleDeviceStrategy."+step, fmt.Sprintf(".%d.pt.trace.json", time.Now().UnixNano())))
	}
	kind.events = append(kind.events, tensor.StopProfile(path)...)
	if path != "" {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("profiler: the trace was not written: %w", err)
		}
		p.log.Info().Msgf("Saved the trace of %s to: %s", step, path)
	}
	return nil
}

// name fills in the layers' records.
func (p *pytorch) name(model *lighter.Node) {
	if p.layers != nil {
		return
	}
	p.layers = map[*lighter.Node][]string{}
	model.Walk(func(path string, n *lighter.Node) {
		for _, c := range n.Children() {
			full := c.Name
			if path != "" {
				full = path + "." + c.Name
			}
			p.layers[n] = append(p.layers[n], "[pl][module]"+c.Module.Tree().Target()+": "+full)
		}
	})
}

// Enter implements [lighter.Observer].
func (p *pytorch) Enter(n *lighter.Node, child int) {
	if names := p.layers[n]; child < len(names) {
		p.begin(names[child])
	}
}

// Leave implements [lighter.Observer].
func (p *pytorch) Leave(n *lighter.Node, child int) {
	if names := p.layers[n]; child < len(names) {
		p.end(names[child])
	}
}

// Describe implements [lighter.Profiler].
func (p *pytorch) Describe() error {
	if p.owner != none {
		if err := p.stop(); err != nil {
			return err
		}
	}
	key := "cpu_time_total"
	if p.config.CUDA {
		key = "cuda_time_total"
	}
	if p.arguments.SortByKey != nil {
		key = *p.arguments.SortByKey
	}
	options := tableOptions{
		rows: p.arguments.RowLimit, memory: p.config.Memory, flops: p.config.FLOPs, shapes: p.arguments.GroupByInputShapes,
		header: p.arguments.TableKwargs.header, unit: p.arguments.TableKwargs.unit, nameWidth: p.arguments.TableKwargs.nameWidth, topLevel: p.arguments.TableKwargs.topLevel,
	}
	text := ""
	for m := range p.kinds {
		if all := averages(p.kinds[m].events, p.arguments.GroupByInputShapes); len(all) > 0 {
			sortBy(all, key)
			text += "Profile stats for: " + steps[m] + "\n" + table(all, options)
		}
	}
	if text == "" {
		return nil
	}
	return p.write(strings.ToUpper(p.stage) + " Profiler Report\n" + text)
}
