package cli

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lighter-go/lighter/internal/torchfile"
)

// TestKilled kills a command at random moments and repeats it until it is done: the weights and metrics.csv are those of a run
// that nothing disturbed.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills := 20
	if os.Getenv("LIGHTER_SOAK") != "" {
		kills = 200
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs("../runner/testdata/resume.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// start begins the command in dir; its log is for a failure.
	start := func(dir string) (*exec.Cmd, *bytes.Buffer) {
		cmd, log := exec.Command(exe), &bytes.Buffer{}
		cmd.Args = []string{"lighter", "fit", config, "--resume", "auto", "trainer::max_epochs=2",
			"trainer::callbacks::0::every_n_train_steps=1", "trainer::callbacks::0::save_on_train_epoch_end=null"}
		cmd.Dir, cmd.Stderr = dir, log
		cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, log
	}
	whole := t.TempDir()
	began := time.Now()
	cmd, log := start(whole)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	takes := time.Since(began)
	wantWeights, wantRows := left(t, whole)

	rounds, survived := 0, 0
	enough := func(killed int) bool { return killed >= 2*kills || killed >= kills && survived >= kills/4 }
	for killed := 0; !enough(killed); rounds++ {
		dir := t.TempDir()
		for done, goes := false, 1; !done; goes++ {
			began := time.Now()
			cmd, log := start(dir)
			if !enough(killed) {
				timer := time.AfterFunc(takes/4+rand.N(takes), func() { cmd.Process.Kill() })
				defer timer.Stop()
			}
			err := cmd.Wait()
			switch {
			case err == nil:
				if done = true; goes == 1 {
					takes = time.Since(began)
				}
			case cmd.ProcessState.ExitCode() == -1:
				killed++
				if found, _ := filepath.Glob(filepath.Join(dir, "out/*/*/checkpoints/*.ckpt")); len(found) > 0 {
					survived++
				} else {
					takes += takes / 4 // the machine is busier than it was
				}
			default:
				t.Fatalf("%v: %s", err, log)
			}
		}
		weights, rows := left(t, dir)
		if !bytes.Equal(weights, wantWeights) {
			t.Errorf("round %d: the weights differ", rounds)
		}
		if !bytes.Equal(rows, wantRows) {
			t.Errorf("round %d: metrics.csv is\n%s\nwant\n%s", rounds, rows, wantRows)
		}
	}
	if survived < kills/4 {
		t.Errorf("only %d of %d kills hit a run that had saved something", survived, kills)
	}
}

// left is what a run leaves: the bytes of last.ckpt's weights, and the metrics.
func left(t *testing.T, dir string) (weights, rows []byte) {
	t.Helper()
	runs, _ := filepath.Glob(filepath.Join(dir, "out/lightning_logs/version_*/metrics.csv"))
	var newest string
	for _, path := range runs { // of those that a kill ended before the first checkpoint, no matter
		if len(path) > len(newest) || path > newest {
			newest = path
		}
	}
	rows, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	f, err := torchfile.Open(filepath.Join(filepath.Dir(newest), "checkpoints", "last.ckpt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	state, _ := f.Root.(*torchfile.Dict).Get("state_dict")
	for name, v := range state.(*torchfile.Dict).All() {
		b, err := v.(*torchfile.Tensor).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		weights = append(append(weights, name.(string)...), b...)
	}
	return weights, rows
}
