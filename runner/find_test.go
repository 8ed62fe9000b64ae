package runner_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter/runner"
)

// spoil changes a byte in the middle of a file, or with half cuts it there.
func spoil(t *testing.T, path string, half bool) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if half {
		data = data[:len(data)/2]
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// trained is a run in dir, and its folder of checkpoints.
func trained(t *testing.T, dir string, overrides ...any) (logDir, checkpoints string) {
	t.Helper()
	r, err := autoFit(t, dir, -1, nil, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return r.LogDir, filepath.Join(r.LogDir, "checkpoints")
}

// load starts a stage from a checkpoint and says which it took, and what was said.
func load(t *testing.T, name, which, dir string, overrides ...any) (took, log string, err error) {
	t.Helper()
	var b bytes.Buffer
	r, err := stage(t, name, dir, runner.Options{CkptPath: which, Log: zerolog.New(&b)}, overrides...)
	if err != nil {
		return "", b.String(), err
	}
	return r.CkptPath, b.String(), nil
}

// TestDamagedCheckpoints: damaged files are named and the newest sound one is taken, by --resume auto, which ends where an
// undisturbed run does, and by --ckpt_path last. A damaged file that is named is an error.
func TestDamagedCheckpoints(t *testing.T) {
	for _, half := range []bool{false, true} {
		dir := t.TempDir()
		logDir, checkpoints := trained(t, dir)
		want := remains(t, logDir)
		newest := filepath.Join(checkpoints, "epoch=2-step=15.ckpt")
		for _, name := range []string{newest, filepath.Join(checkpoints, "last.ckpt")} {
			spoil(t, name, half)
		}
		sound := filepath.Join(checkpoints, "epoch=1-step=10.ckpt")
		took, log, err := load(t, "validate", "last", dir)
		if err != nil || took != sound || !strings.Contains(log, newest) || !strings.Contains(log, "damaged") {
			t.Errorf("--ckpt_path last took %q (%v), and said %s", took, err, log)
		}
		if _, _, err := load(t, "validate", newest, dir); err == nil || runner.ExitCode(err) != runner.ExitCheckpoint || !strings.Contains(err.Error(), newest) {
			t.Errorf("a damaged file by its name: %v", err)
		}
		var said bytes.Buffer
		r, err := autoFit(t, dir, -1, &said)
		if err != nil || r.CkptPath != sound || r.LogDir != logDir {
			t.Fatalf("--resume auto took %+v, %v", r, err)
		}
		for _, part := range []string{newest, "is damaged", sound + ", the newest sound one, is taken"} {
			if !strings.Contains(said.String(), part) {
				t.Errorf("nothing of %q is said: %s", part, said.String())
			}
		}
		sameRemains(t, "from the newest sound one", remains(t, logDir), want)
	}
}

// TestOnlyDamaged: without a sound checkpoint --resume auto starts afresh, --ckpt_path last fails.
func TestOnlyDamaged(t *testing.T) {
	dir := t.TempDir()
	logDir, checkpoints := trained(t, dir, "trainer::max_epochs=1")
	all, _ := filepath.Glob(filepath.Join(checkpoints, "*"))
	for _, path := range all {
		spoil(t, path, false)
	}
	if _, _, err := load(t, "fit", "last", dir); runner.ExitCode(err) != runner.ExitCheckpoint {
		t.Errorf("--ckpt_path last: %v", err)
	}
	var said bytes.Buffer
	r, err := autoFit(t, dir, -1, &said, "trainer::max_epochs=1")
	if err != nil || r.LogDir == logDir || r.CkptPath != "" || !strings.Contains(said.String(), "starts afresh") {
		t.Errorf("--resume auto: %+v, %v, %s", r, err, said.String())
	}
}

// TestOrderOfCheckpoints: within a run the steps decide which is the newest, not the time of a file that was touched or copied.
func TestOrderOfCheckpoints(t *testing.T) {
	dir := t.TempDir()
	_, checkpoints := trained(t, dir, "trainer::callbacks::0::save_last=false")
	all, _ := filepath.Glob(filepath.Join(checkpoints, "*"))
	now := time.Now()
	for _, path := range all { // all equal
		if err := os.Chtimes(path, now, now); err != nil {
			t.Fatal(err)
		}
	}
	newest := filepath.Join(checkpoints, "epoch=2-step=15.ckpt")
	if took, _, err := load(t, "validate", "last", dir); took != newest {
		t.Errorf("of equal times %q is taken, %v", took, err)
	}
	old := filepath.Join(checkpoints, "epoch=0-step=5.ckpt")
	if err := os.Chtimes(old, now.Add(time.Hour), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(checkpoints, "zcopy.ckpt"), data, 0o666); err != nil {
		t.Fatal(err)
	}
	if took, _, err := load(t, "validate", "last", dir); took != newest {
		t.Errorf("%q is taken, which was touched or copied, %v", took, err)
	}
}

// TestRunsOfAFolder: runs of other configurations beside this one's, and runs that share a folder of checkpoints.
func TestRunsOfAFolder(t *testing.T) {
	dir := t.TempDir()
	mine, _ := trained(t, dir)
	other, _ := trained(t, dir, "model::network::_args_::0::out_features=8", "model::network::_args_::3::in_features=8")
	if other == mine {
		t.Fatal("another configuration goes on in this one's folder")
	}
	if took, log, err := load(t, "validate", "last", dir); filepath.Dir(filepath.Dir(took)) != mine || !strings.Contains(log, "--ckpt_path last is "+took) {
		t.Errorf("last is %q, %v: %s", took, err, log)
	}
	for _, more := range [][]any{
		{"trainer::max_epochs=4"}, {"data::train_dataloader::num_workers=1"}, {"trainer::log_every_n_steps=2", "trainer::max_epochs=5"},
	} {
		if r, err := autoFit(t, dir, -1, nil, more...); err != nil || r.LogDir != mine {
			t.Errorf("with %v it goes on in %+v, %v; want %s", more, r, err, mine)
		}
	}
	for _, more := range [][]any{{"model::optimizer::lr=0.5"}, {"seed=7"}, {"trainer::accumulate_grad_batches=3"}, {"data::train_dataloader::batch_size=12"}} {
		var said bytes.Buffer
		if r, err := autoFit(t, dir, -1, &said, more...); err != nil || r.CkptPath != "" {
			t.Errorf("with %v it goes on from %+v, %v", more, r, err)
		}
		if !strings.Contains(said.String(), "is of another configuration: ") || !strings.Contains(said.String(), "starts afresh") {
			t.Errorf("with %v it says %s", more, said.String())
		}
	}

	// Runs that share a dirpath: the newest run counts, however short it was.
	shared := filepath.Join(t.TempDir(), "shared")
	dirpath := "trainer::callbacks::0::dirpath=" + shared
	null := "trainer::logger=false"
	for _, epochs := range []int{3, 1} {
		if _, _, err := load(t, "fit", "", dir, dirpath, null, fmt.Sprintf("trainer::max_epochs=%d", epochs), "trainer::callbacks::0::save_top_k=1"); err != nil {
			t.Fatal(err)
		}
	}
	if took, _, err := load(t, "validate", "last", dir, dirpath, null); filepath.Base(took) != "last-v1.ckpt" {
		t.Errorf("of two runs in a folder %q is taken, %v", took, err)
	}
}

// TestDoneRun: the command of a run that is done says so and changes none of its files' content; that of one without
// checkpoints of its own, too.
func TestDoneRun(t *testing.T) {
	for name, overrides := range map[string][]any{
		"with checkpoints":         nil,
		"between checkpoints":      {"trainer::callbacks::0::every_n_train_steps=7", "trainer::callbacks::0::save_on_train_epoch_end=null"},
		"without checkpoints":      {"=trainer::callbacks=[]", "trainer::enable_checkpointing=false"},
		"stopped by steps":         {"trainer::max_steps=7", "trainer::max_epochs=null"},
		"with the weights only":    {"trainer::callbacks::0::save_weights_only=true"},
		"within a validated epoch": {"trainer::callbacks::0::save_on_train_epoch_end=false"},
	} {
		dir := t.TempDir()
		logDir, _ := trained(t, dir, overrides...)
		before := contents(t, logDir)
		var said bytes.Buffer
		r, err := autoFit(t, dir, -1, &said, overrides...)
		if err != nil || r.LogDir != logDir || !strings.Contains(said.String(), "is done: `Trainer.fit` stopped") {
			t.Errorf("%s: %+v, %v, %s", name, r, err, said.String())
			continue
		}
		for path, content := range contents(t, logDir) {
			if before[path] != content {
				t.Errorf("%s: %s has changed", name, path)
			}
		}
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestResumeRefused: what --resume takes, and a folder in which another process trains.
func TestResumeRefused(t *testing.T) {
	for _, c := range []struct{ stage, resume string }{{"fit", "yes"}, {"validate", "auto"}} {
		_, err := stage(t, c.stage, t.TempDir(), runner.Options{Resume: c.resume, Log: zerolog.Nop()})
		if runner.ExitCode(err) != runner.ExitUsage {
			t.Errorf("--resume %s of %s: %v", c.resume, c.stage, err)
		}
	}
	dir := t.TempDir()
	logDir, _ := trained(t, dir)
	release := lock(t, logDir)
	if _, err := autoFit(t, dir, -1, nil); err == nil || !strings.Contains(err.Error(), "another process is training in "+logDir) {
		t.Errorf("in a folder where another trains: %v", err)
	}
	release()
	if _, err := autoFit(t, dir, -1, nil); err != nil {
		t.Error(errors.Unwrap(err))
	}
}

// TestResumeArgument: args::fit::resume is --resume.
func TestResumeArgument(t *testing.T) {
	dir := t.TempDir()
	logDir, _ := trained(t, dir)
	took, log, err := load(t, "fit", "", dir, "args::fit::resume=auto")
	if err != nil || filepath.Dir(filepath.Dir(took)) != logDir || !strings.Contains(log, "is done") {
		t.Errorf("%q, %v: %s", took, err, log)
	}
	if _, _, err := load(t, "fit", "", dir, "args::fit::resume=always"); err == nil || !strings.Contains(err.Error(), `resume of the stage fit must be "auto"`) {
		t.Errorf("got %v", err)
	}
	if _, _, err := load(t, "validate", "", dir, "args::validate::resume=auto"); err == nil || !strings.Contains(err.Error(), `unknown option "resume"`) {
		t.Errorf("got %v", err)
	}
}
