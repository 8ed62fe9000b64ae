package callback

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// DeviceStatsMonitor are the arguments of Lightning's callback that logs how busy the device is.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.DeviceStatsMonitor.html
type DeviceStatsMonitor struct {
	CPUStats   *bool `cfg:"cpu_stats" help:"log the processors and the memory; default: when the fit runs on the CPU"`
	FilterKeys Names `cfg:"filter_keys" help:"names of the values to log, such as cpu_percent; null for all"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.DeviceStatsMonitor", DeviceStatsMonitor{},
		aliases("callbacks", "device_stats_monitor", "DeviceStatsMonitor")...)
}

// Doc is the component's prose.
func (DeviceStatsMonitor) Doc() string {
	return `On the CPU it logs cpu_percent, cpu_vm_percent and cpu_swap_percent, of the whole machine; on a GPU what
torch.cuda.memory_stats counts, such as allocated_bytes.all.current. Names begin with DeviceStatsMonitor and the point of the
run: DeviceStatsMonitor.on_train_batch_start/cpu_percent.`
}

// Build makes the callback.
func (a DeviceStatsMonitor) Build(*lighter.Env) (lighter.Callback, error) {
	return &deviceStats{args: a, host: newHostStats()}, nil
}

type deviceStats struct {
	args DeviceStatsMonitor
	host *hostStats
}

var (
	_ lighter.Setupper     = (*deviceStats)(nil)
	_ lighter.BatchStarter = (*deviceStats)(nil)
	_ lighter.BatchEnder   = (*deviceStats)(nil)
)

// Setup wants a logger, as nothing else sees the values.
func (d *deviceStats) Setup(t lighter.Trainer) error {
	c, err := controlOf(t)
	if err != nil {
		return err
	}
	if t.Stage() == "fit" && !c.HasLogger() && !c.FastDevRun() {
		return wording("Cannot use `DeviceStatsMonitor` callback with `Trainer(logger=False)`.")
	}
	return nil
}

// BatchStart logs the values before a batch.
func (d *deviceStats) BatchStart(t lighter.Trainer, _ lighter.Value, idx int) error {
	return d.write(t, idx, "start")
}

// BatchEnd logs the values after a batch.
func (d *deviceStats) BatchEnd(t lighter.Trainer, _ lighter.Output, idx int) error {
	return d.write(t, idx, "end")
}

func (d *deviceStats) write(t lighter.Trainer, idx int, point string) error {
	c, err := controlOf(t)
	if err != nil {
		return err
	}
	if t.Mode() == lighter.Predict || !rowDue(c, idx) {
		return nil
	}
	onCPU := c.Device().Type == tensor.CPU
	values := map[string]float64{}
	if !onCPU {
		memory, err := tensor.CUDAMemoryStats(c.Device())
		if err != nil {
			return wording("DeviceStatsMonitor: %w", err)
		}
		for name, n := range memory {
			values[name] = float64(n)
		}
	}
	if cpu := d.args.CPUStats; onCPU && (cpu == nil || *cpu) || !onCPU && cpu != nil && *cpu {
		host, err := d.host.stats()
		if err != nil {
			return wording("DeviceStatsMonitor: %w", err)
		}
		maps.Copy(values, host)
	}
	prefix := fmt.Sprintf("DeviceStatsMonitor.on_%s_batch_%s/", [...]string{"train", "validation", "test"}[t.Mode()], point)
	var row []lighter.Scalar
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if d.args.FilterKeys == nil || slices.Contains(d.args.FilterKeys, name) {
			row = append(row, lighter.Scalar{Name: prefix + name, Value: values[name]})
		}
	}
	if row == nil {
		return nil
	}
	return t.WriteRow(row)
}

// rowDue says whether Lightning gives the loggers what a callback measures in a batch: every log_every_n_steps steps of training,
// and every so many batches of an evaluation.
func rowDue(t lighter.FitControl, idx int) bool {
	if t.Mode() == lighter.Train {
		return t.RowDue()
	}
	n := t.LogEveryNSteps()
	return n > 0 && t.HasLogger() && (idx+1)%n == 0
}
