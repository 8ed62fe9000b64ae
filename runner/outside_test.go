package runner_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/engine"
	"github.com/lighter-go/lighter/runner"
)

// TestOutsideModule builds a program of another module, which can name nothing internal, and runs it. Nothing is downloaded: it has
// this module's requirements. The build cache holds what it compiles, C++ too, until that changes.
func TestOutsideModule(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	read := func(path string) string {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	_, requirements, _ := strings.Cut(read(filepath.Join(root, "go.mod")), "\n")
	for name, text := range map[string]string{
		"go.mod": "module example.com/outside\n" + requirements +
			"\nrequire github.com/lighter-go/lighter v0.0.0\nreplace github.com/lighter-go/lighter => " + root + "\n",
		"go.sum":  read(filepath.Join(root, "go.sum")),
		"main.go": read("testdata/outside/main.go"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", "outside", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var log strings.Builder
	program := exec.Command(filepath.Join(dir, "outside"), filepath.Join(root, "configs", "digits.yaml"), filepath.Join(dir, "out"))
	program.Stderr = &log
	out, err := program.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, &log)
	}
	for _, want := range []string{"fit true\n", "Test metric", "test true true\n", "mistake true true", `unknown field "learning_rate" for torch.optim.Adam`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it prints no %q:\n%s", want, out)
		}
	}
	if !strings.Contains(log.String(), "Trainable params") {
		t.Errorf("no summary of the model comes on Err:\n%s", &log)
	}
}

func TestRunRefuses(t *testing.T) {
	for _, c := range []struct {
		stage  string
		inputs []any
		want   string
	}{
		{"train", []any{"config.yaml"}, `unknown stage "train": there are fit, validate, test and predict`},
		{"fit", nil, "an input is missing"},
		{"fit", []any{runner.Options{}}, "an input is missing"},
		{"fit", []any{"a.yaml", runner.Options{}, runner.Options{}}, "takes one runner.Options"},
		{"fit", []any{&runner.Options{}, "a.yaml"}, "argument 1: expected a file, an override or a mapping, got *runner.Options"},
		{"fit", []any{map[string]any{}, 3}, "argument 2: expected a file, an override or a mapping, got int"},
	} {
		_, err := runner.Run(context.Background(), c.stage, c.inputs...)
		if err == nil || !strings.Contains(err.Error(), c.want) || runner.ExitCode(err) != runner.ExitUsage {
			t.Errorf("%s %v: got %v, want %q", c.stage, c.inputs, err, c.want)
		}
	}
}

// A run stopped by its context says so, and leaves a checkpoint to go on from.
func TestRunCancelled(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := runner.Run(ctx, "fit", "testdata/resume.yaml", "trainer::logger::save_dir="+dir)
	var known *engine.Error
	if !errors.Is(err, context.Canceled) || errors.As(err, &known) && known.Code != runner.ExitFailure {
		t.Errorf("got %v", err)
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*", "*", "checkpoints", "interrupt.ckpt"))
	if len(found) != 1 {
		t.Errorf("%d checkpoints, want one", len(found))
	}
}
