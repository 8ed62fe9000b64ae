package engine

import (
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/config"
)

// TestEnvironment: PL_TRAINER_<ARGUMENT> gives what the configuration leaves open, read as Python's literals.
func TestEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"MAX_EPOCHS": "7", "ACCELERATOR": "cpu", "LIMIT_TRAIN_BATCHES": "0.5", "ENABLE_PROGRESS_BAR": "False", "GRADIENT_CLIP_VAL": "1e-3",
		"DEVICES": "[0]", "MIN_EPOCHS": "None", "MAX_TIME": "00:01:00:00", "MAX_STEPS": "", "PRECISION": "'64-true'", "BLABLABLA": "1",
	} {
		t.Setenv("PL_TRAINER_"+name, value)
	}
	o := Options{}
	c, problems, err := compose([]any{map[string]any{"trainer": map[string]any{"_target_": "pytorch_lightning.Trainer", "max_epochs": 3}}}, &o)
	if err != nil || problems.HasErrors() {
		t.Fatal(err, problems)
	}
	trainer := c.Root.Get("trainer")
	for name, want := range map[string]*config.Node{
		"max_epochs": {Kind: config.Int, Value: int64(3)}, "accelerator": {Kind: config.String, Value: "cpu"},
		"limit_train_batches": {Kind: config.Float, Value: 0.5}, "enable_progress_bar": {Kind: config.Bool, Value: false},
		"gradient_clip_val": {Kind: config.Float, Value: 1e-3}, "min_epochs": {Kind: config.Null},
		"max_time": {Kind: config.String, Value: "00:01:00:00"}, "precision": {Kind: config.String, Value: "64-true"}, "devices": {Kind: config.List},
	} {
		got := trainer.Get(name)
		if got == nil || got.Kind != want.Kind || got.Value != want.Value {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	for _, name := range []string{"max_steps", "blablabla"} {
		if _, given := trainer.Lookup(name); given {
			t.Errorf("%s is given", name)
		}
	}
}

// A bad value is told with the variable it is from.
func TestEnvironmentErrors(t *testing.T) {
	t.Setenv("PL_TRAINER_MAX_EPOCHS", "many")
	_, _, err := Check([]any{map[string]any{"trainer": map[string]any{"_target_": "pytorch_lightning.Trainer"}, "model": nil, "data": nil}}, Options{})
	if err == nil || !strings.Contains(err.Error(), "PL_TRAINER_MAX_EPOCHS") || !strings.Contains(err.Error(), "max_epochs of pytorch_lightning.Trainer must be") {
		t.Errorf("got %v", err)
	}
}
