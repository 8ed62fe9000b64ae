package runner_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/runner"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// scripted gives the inputs that put a TorchScript network, saved in a mode, into the resume configuration.
func scripted(t *testing.T, mode string) []any {
	t.Helper()
	for _, c := range tensortest.Load[struct {
		Name string
		File []byte
	}](t, "script_digits") {
		if c.Name != mode {
			continue
		}
		path := filepath.Join(t.TempDir(), "model.pt")
		if err := os.WriteFile(path, c.File, 0o600); err != nil {
			t.Fatal(err)
		}
		return []any{"=model::network={_target_: torch.jit.load, f: " + path + "}"}
	}
	t.Fatalf("no network in mode %s", mode)
	return nil
}

// A fit with a TorchScript network that was stopped ends with the bytes of one that was not, statistics and dropout included.
func TestScriptedNetworksGoOn(t *testing.T) {
	network := scripted(t, "train")
	whole, err := fit(t, t.TempDir(), "", network...)
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []string{"4", "9"} {
		dir := t.TempDir()
		_, err := fit(t, dir, "", append(network, "trainer::callbacks=[{_target_: test.StopAt, batch: "+batch+"}]")...)
		if !errors.Is(err, errStop) {
			t.Fatalf("batch %s: %v", batch, err)
		}
		stopped, _ := filepath.Glob(filepath.Join(dir, "*", "*", "checkpoints", "interrupt.ckpt"))
		if len(stopped) != 1 {
			t.Fatalf("batch %s: no checkpoint of the interruption: %v", batch, stopped)
		}
		rest, err := fit(t, t.TempDir(), stopped[0], network...)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(results(t, rest), results(t, whole)) {
			t.Errorf("stopped in batch %s: the fit that goes on ends with other weights", batch)
		}
	}
}

func stateOf(t *testing.T, dir string) *torchfile.Dict {
	t.Helper()
	f, err := torchfile.Open(filepath.Join(dir, "checkpoints", "last.ckpt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	state, _ := f.Root.(*torchfile.Dict).Get("state_dict")
	return state.(*torchfile.Dict)
}

func TestScriptedNetworksInEveryPrecision(t *testing.T) {
	network := scripted(t, "train")
	for precision, want := range map[string]torchfile.DType{
		"32-true": torchfile.Float32, "64-true": torchfile.Float64, "bf16-true": torchfile.BFloat16, "bf16-mixed": torchfile.Float32,
	} {
		dir, err := fit(t, t.TempDir(), "", append(network, "trainer::precision="+precision, "trainer::max_epochs=1")...)
		if err != nil {
			t.Errorf("%s: %v", precision, err)
			continue
		}
		w, _ := stateOf(t, dir).Get("network.encoder.0.weight")
		if got := w.(*torchfile.Tensor).DType; got != want {
			t.Errorf("%s: weights are %v, want %v", precision, got, want)
		}
		n, _ := stateOf(t, dir).Get("network.encoder.1.num_batches_tracked")
		if b, _ := n.(*torchfile.Tensor).Bytes(); b[0] == 0 {
			t.Errorf("%s: the statistics have seen no batch", precision)
		}
	}
}

// As in Lightning, a network saved in evaluation mode is trained in it.
func TestScriptedNetworksKeepTheirMode(t *testing.T) {
	var log bytes.Buffer
	r, err := stage(t, "fit", t.TempDir(), runner.Options{Log: zerolog.New(&log)}, scripted(t, "eval")...)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Found 7 module(s) in eval mode at the start of training."; !strings.Contains(log.String(), want) {
		t.Errorf("the log is\n%s\nwant %s", &log, want)
	}
	n, _ := stateOf(t, r.LogDir).Get("network.encoder.1.num_batches_tracked")
	if b, _ := n.(*torchfile.Tensor).Bytes(); b[0] != 0 {
		t.Errorf("the statistics have seen %d batches", b[0])
	}
}

func TestScriptedNetworksLeaveNoTensors(t *testing.T) {
	network := scripted(t, "train")
	before := tensor.Live()
	for _, overrides := range [][]any{{"trainer::fast_dev_run=1"}, {"trainer::fast_dev_run=1", "model::optimizer::lr=-1"}} {
		_, _ = fit(t, t.TempDir(), "", append(network, overrides...)...)
		if n := tensor.Live(); n != before {
			t.Errorf("%v: %d tensors are left", overrides, n-before)
		}
	}
}
