package callback

import (
	"testing"

	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
)

func TestContract(t *testing.T) {
	none := registrytest.Args{}
	registrytest.Contract(t, "pytorch_lightning.", map[string]registrytest.Args{
		"pytorch_lightning.callbacks.ModelCheckpoint": none, "pytorch_lightning.callbacks.ModelSummary": none, "pytorch_lightning.callbacks.RichModelSummary": none,
		"pytorch_lightning.callbacks.TQDMProgressBar": none, "pytorch_lightning.callbacks.RichProgressBar": none,
		"pytorch_lightning.loggers.CSVLogger": {"save_dir": "logs"},
	})
	registrytest.Contract(t, "lighter.callbacks.", map[string]registrytest.Args{"lighter.callbacks.CsvWriter": {"path": "p.csv"}})
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
		"lighter.callbacks.CsvWriter", "lighter.callbacks.csv_writer.CsvWriter",
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
		"pytorch_lightning.callbacks.TQDMProgressBar": {"refresh_rate", "process_position", "leave"},
		"pytorch_lightning.callbacks.RichProgressBar": {"refresh_rate", "leave", "theme", "console_kwargs"},
		"lighter.callbacks.CsvWriter":                 {"path", "keys"},
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
