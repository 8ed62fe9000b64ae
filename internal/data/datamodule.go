package data

import (
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// DataModule is lighter.LighterDataModule: the loaders of a run. A stage builds only those it uses.
type DataModule struct {
	TrainDataloader   lighter.Loader `cfg:"train_dataloader,aka=train|train_loader|training_dataloader" help:"batches to train on"`
	ValDataloader     lighter.Loader `cfg:"val_dataloader,aka=val|valid|val_loader|validation_dataloader|valid_dataloader" help:"batches to validate on"`
	TestDataloader    lighter.Loader `cfg:"test_dataloader,aka=test|test_loader" help:"batches to test on"`
	PredictDataloader lighter.Loader `cfg:"predict_dataloader,aka=predict|predict_loader|inference_dataloader" help:"batches to predict"`
}

// Prune implements [registry.Pruner].
func (DataModule) Prune(stage string) (unneeded []string) {
	needed := map[string][]string{
		"fit":      {"train_dataloader", "val_dataloader"},
		"validate": {"val_dataloader"},
		"test":     {"test_dataloader"},
		"predict":  {"predict_dataloader"},
	}[stage]
	if needed == nil {
		return nil
	}
	for _, name := range []string{"train_dataloader", "val_dataloader", "test_dataloader", "predict_dataloader"} {
		if !slices.Contains(needed, name) {
			unneeded = append(unneeded, name)
		}
	}
	return unneeded
}

// Build makes the module.
func (c DataModule) Build(*lighter.Env) (lighter.DataModule, error) {
	return loaders{lighter.Train: c.TrainDataloader, lighter.Val: c.ValDataloader, lighter.Test: c.TestDataloader, lighter.Predict: c.PredictDataloader}, nil
}

type loaders [4]lighter.Loader

// Loader gives the loader of a mode, nil when there is none.
func (l loaders) Loader(m lighter.Mode) lighter.Loader { return l[m] }

var _ registry.Pruner = DataModule{}

func init() { registry.Register[lighter.DataModule]("lighter.LighterDataModule", DataModule{}) }
