package data

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// DataModule is lighter.LighterDataModule: the loaders of a run. A stage builds only those it uses.
type DataModule struct {
	TrainDataloader   loaders `cfg:"train_dataloader,aka=train|train_loader|training_dataloader" help:"batches to train on: a loader or a list of them"`
	ValDataloader     loaders `cfg:"val_dataloader,aka=val|valid|val_loader|validation_dataloader|valid_dataloader" help:"batches to validate on: a loader or a list of them"`
	TestDataloader    loaders `cfg:"test_dataloader,aka=test|test_loader" help:"batches to test on: a loader or a list of them"`
	PredictDataloader loaders `cfg:"predict_dataloader,aka=predict|predict_loader|inference_dataloader" help:"batches to predict: a loader or a list of them"`
}

// Doc is the reference's text.
func (DataModule) Doc() string {
	return `The loaders of a run. Several loaders of a mode are given as a list. Validation, tests and prediction go through them one
after the other; the names of what is logged end in /dataloader_idx_0, /dataloader_idx_1 and so on, and each has metrics of its
own. A training batch of several loaders is the list of their batches; shorter ones begin again until the longest is done.`
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
	train := c.TrainDataloader
	if len(train) > 1 {
		train = loaders{&combined{loaders: train}}
	}
	return module{lighter.Train: train, lighter.Val: c.ValDataloader, lighter.Test: c.TestDataloader, lighter.Predict: c.PredictDataloader}, nil
}

type module [4]loaders

// Loaders gives the loaders of a mode.
func (m module) Loaders(mode lighter.Mode) []lighter.Loader { return m[mode] }

// loaders is an argument that takes a loader or a list of them.
type loaders []lighter.Loader

// DecodeConfig implements [registry.Decoder].
func (l *loaders) DecodeConfig(v any) error {
	items, ok := v.([]any)
	if !ok && v != nil {
		items = []any{v}
	}
	*l = nil
	for _, item := range items {
		loader, ok := item.(lighter.Loader)
		if !ok {
			return fmt.Errorf("must be %s, got %s", l.ConfigType(), lighter.TypeName(item))
		}
		*l = append(*l, loader)
	}
	return nil
}

// CheckConfig implements [registry.Checker].
func (l *loaders) CheckConfig(v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		if !registry.Fits[lighter.Loader](item) {
			return fmt.Errorf("must be %s, got %s", l.ConfigType(), registry.Describe(item))
		}
	}
	return nil
}

// ConfigType implements [registry.Decoder].
func (*loaders) ConfigType() string { return "a DataLoader or a list of DataLoaders" }

var (
	_ registry.Pruner  = DataModule{}
	_ registry.Decoder = (*loaders)(nil)
)

func init() { registry.Register[lighter.DataModule]("lighter.LighterDataModule", DataModule{}) }
