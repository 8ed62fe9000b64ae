package callback

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
)

// Wrong arguments get the words of Lightning and PyTorch.
func TestRefusedArguments(t *testing.T) {
	scheduling := func(keys []any, values ...any) map[string]any {
		return map[string]any{"scheduling": &config.Dict{Keys: keys, Values: values}}
	}
	one := func(name string, v any) map[string]any { return map[string]any{name: v} }
	swa := func(name string, v any) map[string]any { return map[string]any{"swa_lrs": 0.1, name: v} }
	lambda := registry.Func(func([]any, map[string]any) (any, error) { return nil, nil })
	for _, c := range []struct {
		class string
		args  map[string]any
		want  string
	}{
		{"StochasticWeightAveraging", nil, "swa_lrs"},
		{"StochasticWeightAveraging", one("swa_lrs", int64(1)), "The `swa_lrs` should a positive float, or a list of positive floats"},
		{"StochasticWeightAveraging", one("swa_lrs", -0.1), "The `swa_lrs` should a positive float, or a list of positive floats"},
		{"StochasticWeightAveraging", one("swa_lrs", []any{0.1, 0.0}), "The `swa_lrs` should a positive float, or a list of positive floats"},
		{"StochasticWeightAveraging", one("swa_lrs", []any{}), "The `swa_lrs` should a positive float, or a list of positive floats"},
		{"StochasticWeightAveraging", swa("swa_epoch_start", int64(0)), "swa_epoch_start should be a >0 integer or a float between 0 and 1"},
		{"StochasticWeightAveraging", swa("swa_epoch_start", 1.5), "swa_epoch_start should be a >0 integer or a float between 0 and 1"},
		{"StochasticWeightAveraging", swa("swa_epoch_start", true), "swa_epoch_start should be a >0 integer or a float between 0 and 1"},
		{"StochasticWeightAveraging", swa("annealing_epochs", int64(-1)), "anneal_epochs must be equal or greater than 0, got -1"},
		{"StochasticWeightAveraging", swa("annealing_strategy", "sin"), "must be one of cos, linear"},
		{"StochasticWeightAveraging", swa("avg_fn", lambda), "a callable of one's own is not supported"},
		{"StochasticWeightAveraging", swa("device", "gpu"), "device"},
		{"StochasticWeightAveraging", swa("device", 1.5), "must be a device such as"},
		{"WeightAveraging", one("avg_fn", lambda), "get_ema_avg_fn or get_swa_avg_fn"},
		{"WeightAveraging", map[string]any{"avg_fn": mean{}, "multi_avg_fn": mean{}}, "Only one of avg_fn and multi_avg_fn should be provided"},
		{"EMAWeightAveraging", one("decay", 1.5), "Invalid decay value 1.5 provided. Please provide a value in [0,1] range."},
		{"EMAWeightAveraging", one("decay", math.NaN()), "Invalid decay value nan provided."},
		{"EMAWeightAveraging", one("avg_fn", mean{}), "unexpected keyword argument"},
		{"GradientAccumulationScheduler", scheduling(nil), "Empty dict cannot be interpreted correct"},
		{"GradientAccumulationScheduler", scheduling([]any{"-1"}, int64(2)), "Epoch should be an int greater than or equal to 0. Got [-1]."},
		{"GradientAccumulationScheduler", scheduling([]any{"first"}, int64(2)), "Epoch should be an int greater than or equal to 0. Got [first]."},
		{"GradientAccumulationScheduler", scheduling([]any{"1", "2"}, int64(2), int64(0)), "Accumulation factor should be an int greater than 0. Got [2, 0]."},
		{"GradientAccumulationScheduler", scheduling([]any{"1"}, 2.0), "Accumulation factor should be an int greater than 0."},
		{"GradientAccumulationScheduler", one("scheduling", int64(4)), "must be a mapping of epochs to numbers of batches"},
		{"LearningRateFinder", one("mode", "quadratic"), "`mode` should be either of ('linear', 'exponential')"},
		{"LearningRateFinder", one("num_training_steps", int64(0)), "must be at least 1, got 0"},
		{"LearningRateFinder", one("min_lr", 0.0), "must be positive"},
		{"LearningRateFinder", one("max_lr", 1e-9), "must be greater than min_lr"},
		{"LearningRateFinder", one("attr_name", "rate"), "could not find this as a field in `model` or `model.hparams`"},
		{"DeviceStatsMonitor", one("filter_keys", int64(1)), "must be a str, a list of strs or null"},
		{"ThroughputMonitor", one("window_size", int64(1)), "must be at least 2"},
		{"ThroughputMonitor", one("batch_size_fn", int64(8)), "must be a function such as"},
	} {
		_, err := registry.New[lighter.Callback]("pytorch_lightning.callbacks."+c.class, &lighter.Env{}, c.args)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s%v: got the error %v, want one with %q", c.class, c.args, err, c.want)
		}
	}
}

func TestSchedulingOfAccumulation(t *testing.T) {
	var s Scheduling
	must(t, s.DecodeConfig(&config.Dict{Keys: []any{"4", int64(2)}, Values: []any{int64(2), int64(8)}}))
	for epoch, want := range []int{1, 1, 8, 8, 2, 2} {
		if got := s.at(epoch); got != want {
			t.Errorf("epoch %d accumulates %d batches, want %d", epoch, got, want)
		}
	}
}

// The suggestion for what Lightning's range test noted is Lightning's, to the last bit.
func TestSuggestionAsLightning(t *testing.T) {
	found := 0
	for _, c := range golden[[]struct {
		Name   string
		Args   map[string]any
		Search *struct {
			LR, Loss   []goldenFloat
			Suggestion float64
		}
	}](t, "averaging.json") {
		if c.Search == nil {
			continue
		}
		found++
		text, err := json.Marshal(c.Args)
		must(t, err)
		args := LearningRateFinder{MinLR: 1e-8, MaxLR: 1, Mode: "exponential"}
		must(t, json.Unmarshal(text, &struct {
			MinLR *float64 `json:"min_lr"`
			MaxLR *float64 `json:"max_lr"`
			Mode  *string  `json:"mode"`
			Steps *int     `json:"num_training_steps"`
		}{&args.MinLR, &args.MaxLR, &args.Mode, &args.NumTrainingSteps}))
		r := &rangeTest{args: args}
		for i := range c.Search.Loss {
			r.losses, r.lrs = append(r.losses, float64(c.Search.Loss[i])), append(r.lrs, r.lr())
			if want := float64(c.Search.LR[i]); r.lr() != want {
				t.Errorf("%s: step %d has the learning rate %v, want %v", c.Name, i, r.lr(), want)
			}
			r.Step(0)
		}
		if got, ok := r.suggestion(); !ok || got != c.Search.Suggestion {
			t.Errorf("%s: suggests %v, want %v", c.Name, got, c.Search.Suggestion)
		}
	}
	if found == 0 {
		t.Error("no search is in averaging.json")
	}
	few := &rangeTest{losses: make([]float64, 12), lrs: make([]float64, 12)}
	if _, ok := few.suggestion(); ok {
		t.Error("a single loss makes a suggestion")
	}
}

// The machine is measured as psutil 7 does it.
func TestHostStats(t *testing.T) {
	files := map[string]string{
		"/proc/stat":    "cpu  100 20 30 800 50 0 0 0 40 0\ncpu0 1 2 3 4\n",
		"/proc/meminfo": "MemTotal:       4000 kB\nMemFree:         100 kB\nMemAvailable:   1001 kB\nSwapTotal:         0 kB\nSwapFree:          0 kB\n",
	}
	h := &hostStats{read: func(path string) ([]byte, error) { return []byte(files[path]), nil }}
	_, err := h.stats()
	must(t, err)
	files["/proc/stat"] = "cpu  160 20 45 810 65 0 0 0 80 0\n"
	files["/proc/meminfo"] = "MemTotal: 4000 kB\nMemAvailable: 1001 kB\nSwapTotal: 300 kB\nSwapFree: 200 kB\n"
	got, err := h.stats()
	must(t, err)
	for name, want := range map[string]float64{"cpu_percent": 75, "cpu_vm_percent": 75, "cpu_swap_percent": 33.3} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	files["/proc/stat"] = "intr 1\n"
	if _, err := h.stats(); err == nil {
		t.Error("a /proc/stat without processors is taken")
	}
}
