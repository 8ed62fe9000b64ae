package callback

import (
	"path/filepath"
	"testing"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor"
)

func TestContract(t *testing.T) {
	t.Chdir(t.TempDir()) // writers write where absurd arguments say
	none := registrytest.Args{}
	registrytest.Contract(t, "pytorch_lightning.", map[string]registrytest.Args{
		"pytorch_lightning.callbacks.ModelCheckpoint": none, "pytorch_lightning.callbacks.ModelSummary": none, "pytorch_lightning.callbacks.RichModelSummary": none,
		"pytorch_lightning.callbacks.TQDMProgressBar": none, "pytorch_lightning.callbacks.RichProgressBar": none,
		"pytorch_lightning.callbacks.EarlyStopping": {"monitor": "val/loss"}, "pytorch_lightning.callbacks.LearningRateMonitor": none,
		"pytorch_lightning.callbacks.Timer": none, "pytorch_lightning.callbacks.OnExceptionCheckpoint": {"dirpath": "failures"},
		"pytorch_lightning.loggers.CSVLogger": {"save_dir": "logs"}, "pytorch_lightning.loggers.TensorBoardLogger": {"save_dir": "logs"},
		"pytorch_lightning.callbacks.StochasticWeightAveraging": {"swa_lrs": 0.05}, "pytorch_lightning.callbacks.WeightAveraging": none,
		"pytorch_lightning.callbacks.EMAWeightAveraging": none, "pytorch_lightning.callbacks.LearningRateFinder": none,
		"pytorch_lightning.callbacks.GradientAccumulationScheduler": {"scheduling": &config.Dict{Keys: []any{"2"}, Values: []any{int64(4)}}},
		"pytorch_lightning.callbacks.DeviceStatsMonitor":            none, "pytorch_lightning.callbacks.ThroughputMonitor": none,
	})
	registrytest.Contract(t, "torch.optim.swa_utils.get_", map[string]registrytest.Args{
		"torch.optim.swa_utils.get_ema_avg_fn": none, "torch.optim.swa_utils.get_ema_multi_avg_fn": none,
		"torch.optim.swa_utils.get_swa_avg_fn": none, "torch.optim.swa_utils.get_swa_multi_avg_fn": none,
	})
	s := tensor.Open()
	defer s.Close()
	file := filepath.Join(t.TempDir(), "x")
	image := registrytest.Args{"path": file, "tensor": tensor.FromSlice([]float32{0.5}, 1, 1, 1)}
	registrytest.Contract(t, "lighter.callbacks.", map[string]registrytest.Args{
		"lighter.callbacks.CsvWriter":                  {"path": "p.csv"},
		"lighter.callbacks.Freezer":                    {"names": "0.weight"},
		"lighter.callbacks.Report":                     none,
		"lighter.callbacks.FileWriter":                 {"directory": "out", "value_key": "pred", "writer_fn": "tensor"},
		"lighter.callbacks.TableWriter":                {"path": "p.csv", "writer": "tensor"},
		"lighter.callbacks.writer.file.FileWriter":     {"path": "out", "writer": "tensor"},
		"lighter.callbacks.file_writer.write_tensor":   image,
		"lighter.callbacks.file_writer.write_image_2d": image,
		"lighter.callbacks.file_writer.write_image_3d": {"path": file, "tensor": tensor.FromSlice([]float32{0.5}, 1, 1, 1, 1)},
		"lighter.callbacks.file_writer.write_text":     {"path": file, "value": int64(1)},
	})
}

// A YAML written for Lightning names these classes by any of their paths.
func TestPathsOfLightning(t *testing.T) {
	for _, name := range []string{
		"pytorch_lightning.callbacks.ModelCheckpoint", "lightning.pytorch.callbacks.ModelCheckpoint",
		"pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint",
		"pytorch_lightning.callbacks.ModelSummary", "lightning.pytorch.callbacks.model_summary.ModelSummary",
		"pytorch_lightning.callbacks.RichModelSummary", "lightning.pytorch.callbacks.RichModelSummary",
		"pytorch_lightning.callbacks.TQDMProgressBar", "lightning.pytorch.callbacks.TQDMProgressBar",
		"pytorch_lightning.callbacks.progress.TQDMProgressBar", "pytorch_lightning.callbacks.progress.tqdm_progress.TQDMProgressBar",
		"pytorch_lightning.callbacks.RichProgressBar", "lightning.pytorch.callbacks.RichProgressBar",
		"pytorch_lightning.loggers.CSVLogger", "lightning.pytorch.loggers.CSVLogger", "lightning.pytorch.loggers.csv_logs.CSVLogger",
		"pytorch_lightning.loggers.TensorBoardLogger", "lightning.pytorch.loggers.TensorBoardLogger", "lightning.pytorch.loggers.tensorboard.TensorBoardLogger",
		"pytorch_lightning.callbacks.EarlyStopping", "lightning.pytorch.callbacks.early_stopping.EarlyStopping",
		"pytorch_lightning.callbacks.LearningRateMonitor", "lightning.pytorch.callbacks.lr_monitor.LearningRateMonitor",
		"pytorch_lightning.callbacks.Timer", "lightning.pytorch.callbacks.timer.Timer",
		"pytorch_lightning.callbacks.OnExceptionCheckpoint", "lightning.pytorch.callbacks.on_exception_checkpoint.OnExceptionCheckpoint",
		"pytorch_lightning.callbacks.StochasticWeightAveraging", "lightning.pytorch.callbacks.stochastic_weight_avg.StochasticWeightAveraging",
		"pytorch_lightning.callbacks.WeightAveraging", "lightning.pytorch.callbacks.weight_averaging.WeightAveraging",
		"pytorch_lightning.callbacks.EMAWeightAveraging", "lightning.pytorch.callbacks.weight_averaging.EMAWeightAveraging",
		"pytorch_lightning.callbacks.GradientAccumulationScheduler", "lightning.pytorch.callbacks.gradient_accumulation_scheduler.GradientAccumulationScheduler",
		"pytorch_lightning.callbacks.LearningRateFinder", "lightning.pytorch.callbacks.lr_finder.LearningRateFinder",
		"pytorch_lightning.callbacks.DeviceStatsMonitor", "lightning.pytorch.callbacks.device_stats_monitor.DeviceStatsMonitor",
		"pytorch_lightning.callbacks.ThroughputMonitor", "lightning.pytorch.callbacks.throughput_monitor.ThroughputMonitor",
		"lighter.callbacks.CsvWriter", "lighter.callbacks.csv_writer.CsvWriter",
		"lighter.callbacks.Freezer", "lighter.callbacks.freezer.Freezer", "lighter.callbacks.FileWriter", "lighter.callbacks.file_writer.FileWriter",
	} {
		if _, ok := registry.Lookup(name); !ok {
			t.Errorf("%s is unknown", name)
		}
	}
}

// Positional arguments come in Lightning's order, with its defaults.
func TestArgumentsOfLightning(t *testing.T) {
	for target, want := range map[string][]string{
		"pytorch_lightning.callbacks.ModelCheckpoint": {
			"dirpath", "filename", "monitor", "verbose", "save_last", "save_top_k", "save_on_exception", "save_weights_only", "mode", "auto_insert_metric_name",
			"every_n_train_steps", "train_time_interval", "every_n_epochs", "save_on_train_epoch_end", "enable_version_counter",
		},
		"pytorch_lightning.loggers.CSVLogger":         {"save_dir", "name", "version", "prefix", "flush_logs_every_n_steps"},
		"pytorch_lightning.loggers.TensorBoardLogger": {"save_dir", "name", "version", "log_graph", "default_hp_metric", "prefix", "sub_dir"},
		"pytorch_lightning.callbacks.TQDMProgressBar": {"refresh_rate", "process_position", "leave"},
		"pytorch_lightning.callbacks.RichProgressBar": {"refresh_rate", "leave", "theme", "console_kwargs"},
		"pytorch_lightning.callbacks.EarlyStopping": {
			"monitor", "min_delta", "patience", "verbose", "mode", "strict", "check_finite", "stopping_threshold", "divergence_threshold",
			"check_on_train_epoch_end", "log_rank_zero_only",
		},
		"pytorch_lightning.callbacks.LearningRateMonitor": {"logging_interval", "log_momentum", "log_weight_decay"},
		"pytorch_lightning.callbacks.StochasticWeightAveraging": {
			"swa_lrs", "swa_epoch_start", "annealing_epochs", "annealing_strategy", "avg_fn", "device",
		},
		"pytorch_lightning.callbacks.WeightAveraging": {"device", "use_buffers", "avg_fn", "multi_avg_fn"},
		"pytorch_lightning.callbacks.EMAWeightAveraging": {
			"device", "use_buffers", "decay", "update_every_n_steps", "update_starting_at_step", "update_starting_at_epoch",
		},
		"pytorch_lightning.callbacks.GradientAccumulationScheduler": {"scheduling"},
		"pytorch_lightning.callbacks.LearningRateFinder": {
			"min_lr", "max_lr", "num_training_steps", "mode", "early_stop_threshold", "update_attr", "attr_name",
		},
		"pytorch_lightning.callbacks.DeviceStatsMonitor":    {"cpu_stats", "filter_keys"},
		"pytorch_lightning.callbacks.ThroughputMonitor":     {"batch_size_fn", "length_fn", "window_size", "separator"},
		"pytorch_lightning.callbacks.Timer":                 {"duration", "interval", "verbose"},
		"pytorch_lightning.callbacks.OnExceptionCheckpoint": {"dirpath", "filename"},
		"lighter.callbacks.CsvWriter":                       {"path", "keys"},
		"lighter.callbacks.Freezer":                         {"names", "name_starts_with", "except_names", "except_name_starts_with", "until_step", "until_epoch"},
		"lighter.callbacks.FileWriter":                      {"directory", "value_key", "writer_fn", "name_key"},
	} {
		e, ok := registry.Lookup(target)
		if !ok || len(e.Fields) != len(want) {
			t.Errorf("%s has %d arguments, want %d", target, len(e.Fields), len(want))
			continue
		}
		for i, f := range e.Fields {
			if f.Name != want[i] {
				t.Errorf("argument %d of %s is %s, want %s", i, target, f.Name, want[i])
			}
		}
	}
}
