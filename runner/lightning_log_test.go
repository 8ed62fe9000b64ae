package runner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/runner"
	"github.com/lighter-go/lighter/tensor"
)

// logCall is a call of self.log. The value counts the call's turns.
type logCall struct {
	Hook, Name, Kind string
	Dict             bool
	Every            int
	Args             struct {
		ProgBar         bool   `json:"prog_bar"`
		Logger          *bool  `json:"logger"`
		OnStep          *bool  `json:"on_step"`
		OnEpoch         *bool  `json:"on_epoch"`
		ReduceFx        string `json:"reduce_fx"`
		BatchSize       int    `json:"batch_size"`
		AddDataloaderIx *bool  `json:"add_dataloader_idx"`
		EnableGraph     bool   `json:"enable_graph"`
		SyncDist        bool   `json:"sync_dist"`
		RankZeroOnly    bool   `json:"rank_zero_only"`
	}
	turns int
}

type logCase struct {
	Calls   []*logCall
	Loaders int
	Trainer map[string]any
	Error   string
	Rows    [][2]any
	Seen    [][4]any
}

// logging is the case under way, and what it gave.
var logging struct {
	logCase
	rows, seen []string
}

// loggingNet is a model whose hooks log what the case says.
type loggingNet struct {
	lighter.LightningModule
	net     lighter.Module
	env     *lighter.Env
	metrics map[string]lighter.Metric
}

type loggingNetArgs struct{}

func (loggingNetArgs) Build(env *lighter.Env) (lighter.Model, error) {
	m := &loggingNet{env: env, metrics: map[string]lighter.Metric{}}
	for kind, class := range map[string]string{"mean": "MeanMetric", "max": "MaxMetric"} {
		var err error
		if m.metrics[kind], err = registry.New[lighter.Metric]("torchmetrics."+class, env, map[string]any{}); err != nil {
			return nil, err
		}
	}
	var err error
	m.net, err = linear(env, 1, 1)
	m.Add("net", m.net)
	return m, err
}

func (m *loggingNet) Forward(in ...lighter.Value) lighter.Value { return m.net.Forward(in...) }

func (m *loggingNet) Hook(name string) lighter.HookFunc {
	used := false
	for _, c := range logging.Calls {
		used = used || c.Hook == name
	}
	switch name {
	case "training_step", "validation_step", "configure_optimizers", "train_dataloader", "val_dataloader":
	default:
		if !used {
			return nil
		}
	}
	return func(t lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
		for _, c := range logging.Calls {
			if c.Hook == name {
				if err := m.log(t, c); err != nil {
					return nil, err
				}
			}
		}
		switch name {
		case "training_step":
			return tensor.CallOne("mean", m.net.Forward(a[0].(lighter.List)[0])), nil
		case "configure_optimizers":
			return optimizer(m.env, "SGD", m.net, map[string]any{"lr": 0.1})
		case "train_dataloader":
			return pairs{5}, nil
		case "val_dataloader":
			return lighter.List{pairs{3}, pairs{4}}[:logging.Loaders], nil
		}
		return nil, nil
	}
}

func (m *loggingNet) log(t lighter.LightningTrainer, c *logCall) error {
	c.turns++
	n := c.turns
	if c.Every > 0 && n%c.Every != 0 {
		return nil
	}
	a := lighter.LogArgs{ProgBar: c.Args.ProgBar, Logger: c.Args.Logger, OnStep: c.Args.OnStep, OnEpoch: c.Args.OnEpoch, ReduceFx: c.Args.ReduceFx,
		BatchSize: c.Args.BatchSize, PlainName: c.Args.AddDataloaderIx != nil && !*c.Args.AddDataloaderIx,
		EnableGraph: c.Args.EnableGraph, SyncDist: c.Args.SyncDist, RankZeroOnly: c.Args.RankZeroOnly}
	x := float64(n) * 0.3
	single := tensor.FromSlice([]float32{float32(x)})
	var v lighter.Value
	switch c.Kind {
	case "tensor":
		v = single.Reshape()
	case "double":
		v = tensor.FromSlice([]float64{x}).Reshape()
	case "float":
		v = x
	case "int":
		v = int64(n)
	case "bool":
		v = n%2 == 0
	case "long":
		v = tensor.FromSlice([]int64{int64(n)}).Reshape()
	case "vector":
		v = tensor.FromSlice([]float32{float32(x), float32(x)}, 2)
	case "one":
		v = single
	case "str":
		v = "x"
	case "mean", "max":
		m.metrics[c.Kind].Update(single.Reshape(), nil)
		v, a.Forward = m.metrics[c.Kind], m.metrics[c.Kind].Batch()
	}
	if c.Dict {
		return t.LogDict(lighter.Dict{c.Name: v, c.Name + "2": v.(tensor.Tensor).MulScalar(2)}, a)
	}
	return t.LogValue(c.Name, v, a)
}

// watch notes what is logged and shown.
type watch struct{}

type watchArgs struct{}

func (watchArgs) Build(*lighter.Env) (lighter.Callback, error) { return watch{}, nil }

func (watch) Hook(name string) lighter.HookFunc {
	where, ok := map[string]string{"on_train_batch_end": "batch", "on_validation_end": "validation", "on_train_end": "end"}[name]
	if !ok {
		return nil
	}
	return func(t lighter.LightningTrainer, _ ...lighter.Value) (lighter.Value, error) {
		logging.seen = append(logging.seen, seenLine(where, anyOf(t.Metrics()), anyOf(t.ProgBarMetrics()), anyOf(t.LoggedMetrics())))
		return nil, nil
	}
}

func anyOf[V any](m map[string]V) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func seenLine(where string, maps ...map[string]any) string {
	line := where
	for i, m := range maps {
		line += fmt.Sprintf("\n  %s %s", []string{"callback_metrics", "progress_bar_metrics", "logged_metrics"}[i], numbersText(m))
	}
	return line
}

// numbersText is a map's text, in float32.
func numbersText(m map[string]any) string {
	out := map[string]string{}
	for k, v := range m {
		f, ok := v.(float64)
		if b, isBool := v.(bool); isBool {
			f, ok = map[bool]float64{true: 1}[b], true
		}
		out[k] = fmt.Sprint(v)
		if ok {
			out[k] = fmt.Sprintf("%.5g", float32(f))
		}
	}
	return fmt.Sprint(out)
}

// rowKeeper keeps rows.
type rowKeeper struct{}

type rowKeeperArgs struct{}

func (rowKeeperArgs) Build(*lighter.Env) (lighter.Logger, error) { return rowKeeper{}, nil }

func (rowKeeper) Dir() string                 { return "" }
func (rowKeeper) Open() error                 { return nil }
func (rowKeeper) LogHyperparams([]byte) error { return nil }
func (rowKeeper) Flush()                      {}
func (rowKeeper) Finalize(string) error       { return nil }
func (rowKeeper) LogMetrics(row []lighter.Scalar, step int64) error {
	m := map[string]any{}
	for _, s := range row {
		m[s.Name] = s.Value
	}
	logging.rows = append(logging.rows, fmt.Sprintf("%d %s", step, numbersText(m)))
	return nil
}

func init() {
	lighter.Register[lighter.Model]("test.LoggingNet", loggingNetArgs{})
	lighter.Register[lighter.Callback]("test.Watch", watchArgs{})
	lighter.Register[lighter.Logger]("test.RowKeeper", rowKeeperArgs{})
}

// TestLogging compares what self.log gives, for its arguments, hooks and kinds of values, with Lightning: the loggers' rows, and
// the metrics for callbacks, the bar and the loggers after each batch and validation.
func TestLogging(t *testing.T) {
	for i, c := range recorded[logCase](t, "logs.json", nil) {
		first := c.Calls[0]
		t.Run(fmt.Sprintf("%d_%s_%s", i, first.Hook, first.Kind), func(t *testing.T) {
			logging.logCase, logging.rows, logging.seen = c, nil, nil
			_, err := runner.Run(context.Background(), "fit", []any{map[string]any{
				"model": map[string]any{"_target_": "test.LoggingNet"},
				"trainer": trainerOf(c.Trainer, map[string]any{"default_root_dir": t.TempDir(), "log_every_n_steps": 1,
					"logger": map[string]any{"_target_": "test.RowKeeper"}, "callbacks": map[string]any{"_target_": "test.Watch"}}),
			}}, runner.Options{})
			if c.Error != "" {
				want, _, _ := strings.Cut(c.Error, "tensor(") // a tensor is told by its shape here
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got the error %v, want %s", err, c.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var rows, seen []string
			for _, r := range c.Rows {
				rows = append(rows, fmt.Sprintf("%v %s", r[0], numbersText(r[1].(map[string]any))))
			}
			for _, s := range c.Seen {
				seen = append(seen, seenLine(s[0].(string), s[1].(map[string]any), s[2].(map[string]any), s[3].(map[string]any)))
			}
			compareLines(t, "rows", logging.rows, rows)
			compareLines(t, "metrics", logging.seen, seen)
		})
	}
}

func compareLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			at := func(lines []string) string {
				if i < len(lines) {
					return lines[i]
				}
				return "nothing"
			}
			t.Errorf("%s, %d of %d (%d):\ngot  %s\nwant %s", what, i, len(got), len(want), at(got), at(want))
			return
		}
	}
}
