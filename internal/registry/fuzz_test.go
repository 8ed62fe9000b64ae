package registry

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter/internal/config"
)

// FuzzCheck runs the whole pipeline, from bytes to what would be built: whatever the text, it ends in a list of problems.
func FuzzCheck(f *testing.F) {
	f.Add(good)
	f.Add("run: {_target_: toy.Trainer, _args_: [{_target_: toy.nn.Linear, _mode_: callable, in_features: '$@run'}], network: '@run'}")
	f.Add("run: {_target_: toy.Trainer, network: {_target_: toy.nn.Sequential, _args_: [{_target_: toy.nn.Linear}, 5, null]}, optimizer: '$toy.optim.SGD([1.0])'}")
	f.Add("run: {_target_: '$\"toy.\" + \"Trainer\"', network: {_disabled_: true, _target_: 5}, optimizer: [1]}")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, problems := config.Compose(path)
		if problems.HasErrors() {
			return
		}
		env := Env{Stage: "fit", Log: zerolog.Nop()}
		if Check(c, env, root).Problems.HasErrors() {
			return
		}
		b := NewBuild(c, env)
		_, _ = Get[*builtTrainer](b, "run") // may fail, must not panic
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
